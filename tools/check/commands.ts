import { posix } from 'node:path';
import type { Ground } from './documents.js';

/** The document that says of every command what executes it. */
const LEDGER = 'docs/commands.md';
/** A command in the text begins with a program. */
const INLINE = /^(npm|node|npx|docker|sudo|setcap|kubectl|nginx|systemctl) /;
const IS_DOCUMENT = /^(README|CONTRIBUTING|SECURITY)\.md$|^docs\/[^/]+\.md$/;

/**
 * Where a document tells a command that the ledger does not know, or the ledger knows one that no document tells, or does
 * not say what executes it: a spec that is there, or somebody on a day.
 */
export async function commandFaults({ paths, read }: Ground): Promise<string[]> {
  const told = new Map<string, string>();
  for (const document of [...paths].filter((path) => IS_DOCUMENT.test(path) && path !== LEDGER).sort()) {
    for (const command of commandsOf(await read(document))) told.set(command, document);
  }
  const known = paths.has(LEDGER) ? rowsOf(await read(LEDGER)) : new Map<string, string>();
  return [
    ...[...told]
      .filter(([command]) => !known.has(command))
      .map(([command, document]) => `${document}: ${LEDGER} does not say what executes: ${command}`),
    ...[...known.keys()]
      .filter((command) => !told.has(command))
      .map((command) => `${LEDGER}: no document tells: ${command}`),
    ...[...known]
      .filter(([, proof]) => !isProof(proof, paths))
      .map(([command]) => `${LEDGER}: neither a spec nor a day executes: ${command}`),
  ];
}

/** Commands of the fenced blocks of a shell or SQL, one a line, and those in the text. */
function commandsOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```(?:bash|sh|sql)\b[^\n]*\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
    block.replace(/\\\n\s*/g, '').split('\n'),
  );
  const prose = text.replace(/^```[^]*?^```/gm, '');
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].flatMap(([, span = '']) => (INLINE.test(span) ? [span] : []));
  return [...fenced, ...inline]
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('export '));
}

/** Command and proof of each row of the table. */
function rowsOf(text: string): Map<string, string> {
  const rows = [...text.matchAll(/^\| `([^`\n]+)`\s*\| (.+?)\s*\|$/gm)];
  return new Map(rows.map(([, command = '', proof = '']) => [command, proof]));
}

function isProof(proof: string, paths: ReadonlySet<string>): boolean {
  const named = [...proof.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return /\b20\d\d-\d\d-\d\d\b/.test(proof) || named.some((name) => paths.has(posix.normalize(name)));
}
