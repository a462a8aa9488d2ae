import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { z } from 'zod';
import { apiSettings, monitorSettings, sharedSettings } from '#libs/config/shared.settings.js';
import { stackSettings } from '../services/stack.js';

/** What documents may speak of. */
export interface Ground {
  /** Every file and folder of the project, from its root, folders without a slash at the end. */
  paths: ReadonlySet<string>;
  /** Names of the scripts of package.json. */
  scripts: ReadonlySet<string>;
  /** Names of all settings. */
  settings: ReadonlySet<string>;
  /** Text of a document. */
  read: (path: string) => Promise<string>;
}

/** Folders of the root that are none of the project's. */
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.vigil', 'coverage']);
const ROOT_DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];

/** Names in capitals that are no settings of ours: of Node, of commands in the documents, of other programs. */
const FOREIGN_NAMES = new Set(['NODE_ENV', 'EVIDENCE_DIR']);
/** Files that the documents speak of and that users bring, or that appear when Vigil runs. */
const FOREIGN_FILES = new Set(['rules.json', 'proxies.txt']);

const FILE = /\w\.(ts|mjs|cjs|json|md|ya?ml|html|conf|sql|Dockerfile)$/;
const PATH = /^[\w.@{},*-]+(\/[\w.@{},*-]+)*\/?$/;

/** What is there to be spoken of. */
export async function groundOf(root: string): Promise<Ground> {
  const paths = new Set<string>();
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (SKIPPED.has(path)) continue;
      paths.add(path);
      if (entry.isDirectory()) await walk(path);
    }
  };
  await walk('.');
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')));
  const settings = { ...sharedSettings, ...apiSettings, ...monitorSettings, ...stackSettings };
  return { paths, scripts: new Set(Object.keys(scripts)), settings: new Set(Object.keys(settings)), read };
}

/** Where the documents name a link, a script, a path or a setting that is not there. */
export async function documentFaults(ground: Ground): Promise<string[]> {
  const documents = [...ground.paths].filter(
    (path) => ROOT_DOCUMENTS.includes(path) || /^(docs|models)\/.*\.md$/.test(path),
  );
  const faults: string[] = [];
  for (const document of documents.sort()) {
    const text = await ground.read(document);
    const prose = withoutFences(text);
    const links = await Promise.all(linksOf(prose).map((link) => linkFault(document, link, ground)));
    faults.push(
      ...[...links, ...scriptFaults(text, ground), ...spansOf(prose).map((span) => spanFault(span, ground))]
        .filter((fault) => fault !== null)
        .map((fault) => `${document}: ${fault}`),
    );
  }
  return faults;
}

const withoutFences = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');

const spansOf = (prose: string): string[] => [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);

const linksOf = (prose: string): string[] =>
  [...prose.replace(/`[^`\n]+`/g, '').matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = '']) => link);

async function linkFault(document: string, link: string, { paths, read }: Ground): Promise<string | null> {
  if (/^(https?|mailto):/.test(link)) return null;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? document : posix.join(dirname(document), file).replace(/\/$/, '');
  if (!paths.has(target)) return `the link ${link} leads nowhere`;
  if (anchor === undefined || !target.endsWith('.md')) return null;
  return anchorsOf(await read(target)).has(anchor) ? null : `the link ${link}: ${target} has no such heading`;
}

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(text: string): Set<string> {
  const headings = [...withoutFences(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

function scriptFaults(text: string, { scripts }: Ground): string[] {
  const named = [...text.matchAll(/npm run (?:--?\w+ )*([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  return [...new Set(named)].filter((name) => !scripts.has(name)).map((name) => `there is no npm run ${name}`);
}

/** What is wrong with a piece of code in the text, should it name a setting or a path. */
function spanFault(span: string, { paths, settings }: Ground): string | null {
  const [name = ''] = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_?(?=[=…]|$)/.exec(span) ?? [];
  if (name.includes('_')) {
    if (FOREIGN_NAMES.has(name) || settings.has(name) || settings.has(name.replace(/_FILE$/, ''))) return null;
    if (name.endsWith('_') && [...settings].some((setting) => setting.startsWith(name))) return null;
    return `there is no setting ${name}`;
  }
  if (!PATH.test(span) || FOREIGN_FILES.has(span)) return null;
  const [top = ''] = span.split('/');
  const isPath = FILE.test(span) || (span.includes('/') && paths.has(top) && !top.includes('.'));
  return !isPath || isThere(span.replace(/\/$/, ''), paths) ? null : `there is no ${span}`;
}

/** Whether a path is there, from the root or within a room; `*` and `{a,b}` stand for what they do in a shell. */
function isThere(path: string, paths: ReadonlySet<string>): boolean {
  if (paths.has(path)) return true;
  const pattern = path
    .replace(/[.]/g, '\\.')
    .replace(/\*/g, '[^/]*')
    .replace(/\{([^}]*)\}/g, (_all, choice: string) => `(${choice.replaceAll(',', '|')})`);
  const whole = new RegExp(`(^|/)${pattern}$`);
  return [...paths].some((one) => whole.test(one));
}
