import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { AppError } from '#libs/errors/app-error.js';

/** A name in the forms that code needs: `my-site`, `mySite`, `MySite`, `My site`. */
export interface Names {
  id: string;
  camel: string;
  pascal: string;
  title: string;
}

/** A change to a file that is there. */
export interface Edit {
  path: string;
  /** @returns null when the place to change is not found. */
  change: (text: string) => string | null;
}

/** What is written for a new adapter. Paths are from the root of the project. */
export interface Plan {
  /** The adapter's own folder: where it is there, the name is taken. */
  folder: string;
  files: Readonly<Record<string, string>>;
  edits: readonly Edit[];
  /** What is left to do, for a person. */
  next: string;
}

/**
 * The forms of an adapter's name.
 * @throws AppError `scaffold.bad_id`
 */
export function namesOf(id: string): Names {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id.length > 31) {
    throw new AppError(
      'scaffold.bad_id',
      'user',
      `"${id.slice(0, 60)}" is no id: take at most 31 small letters and digits, with single hyphens between, such as my-site.`,
    );
  }
  const pascal = id.replace(/(^|-)(.)/g, (_all, _hyphen, letter: string) => letter.toUpperCase());
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1);
  const title = id.charAt(0).toUpperCase() + id.slice(1).replaceAll('-', ' ');
  return { id, camel, pascal, title };
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };

/** Adds an entry at the end of the list or object that `opening`, which ends with its bracket, begins. */
export function appended(path: string, opening: RegExp, entry: string): Edit {
  return {
    path,
    change: (text) => {
      const begin = opening.exec(text);
      if (begin === null) return null;
      const start = begin.index + begin[0].length;
      const end = closingOf(text, start - 1);
      if (end === null) return null;
      const body = text.slice(start, end).trimEnd();
      const comma = body === '' || /[,;]$/.test(body) ? '' : ',';
      return `${text.slice(0, start)}${body}${comma}\n${entry}\n${text.slice(end)}`;
    },
  };
}

/** Adds an import after the last one. */
export function imported(path: string, statement: string): Edit {
  return {
    path,
    change: (text) => {
      const last = [...text.matchAll(/^(import .*|\} from .*);$/gm)].at(-1);
      if (last === undefined) return null;
      const end = last.index + last[0].length;
      return `${text.slice(0, end)}\n${statement}${text.slice(end)}`;
    },
  };
}

/** Where the bracket at `open` is closed; null when it is not. */
function closingOf(text: string, open: number): number | null {
  const waiting: string[] = [];
  for (let index = open; index < text.length; index += 1) {
    const letter = text.charAt(index);
    const closing = CLOSING[letter];
    if (closing !== undefined) waiting.push(closing);
    else if (letter === waiting.at(-1)) waiting.pop();
    if (waiting.length === 0) return index;
  }
  return null;
}

/**
 * Every file of a plan as it will be, formatted, by its path. Writes nothing.
 * @throws AppError `scaffold.taken`, `scaffold.no_place`
 */
export async function drawn(plan: Plan, root: string): Promise<Map<string, string>> {
  for (const path of [plan.folder, ...Object.keys(plan.files)]) {
    if (existsSync(join(root, path))) {
      throw new AppError('scaffold.taken', 'user', `The name is taken: ${path} is there already. Choose another one.`);
    }
  }
  const texts = new Map(Object.entries(plan.files));
  for (const { path, change } of plan.edits) {
    const text = change(texts.get(path) ?? (await readFile(join(root, path), 'utf8')));
    if (text === null) {
      throw new AppError(
        'scaffold.no_place',
        'unexpected',
        `${path} no longer has the place that the generator adds to. Nothing was written; mend tools/new/, or add the adapter by hand.`,
      );
    }
    texts.set(path, text);
  }
  const options = await resolveConfig(join(root, 'package.json'));
  for (const [path, text] of texts) texts.set(path, await format(text, { ...options, parser: 'typescript' }));
  return texts;
}

/**
 * Writes what a plan says, all of it or nothing.
 * @returns the paths that were written
 */
export async function scaffold(plan: Plan, root: string): Promise<string[]> {
  const texts = await drawn(plan, root);
  for (const [path, text] of texts) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return [...texts.keys()];
}
