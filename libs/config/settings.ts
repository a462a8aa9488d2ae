import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';

/** One setting: its schema (a default inside makes it optional), the room it belongs to and a sentence for a person. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** What it does, in one sentence; printed into `.env.example` and the configuration page. */
  about: string;
  /** True when its value must never be printed. */
  secret: boolean;
}

/** A group of settings, by the name of their environment variable. */
export type Settings = Record<string, Setting>;

/** The values of a group once parsed. */
export type Values<Group extends Settings> = { [Name in keyof Group]: z.output<Group[Name]['schema']> };

/** Declares a setting. */
export function setting<Schema extends z.ZodType>(schema: Schema, about: string): Setting<Schema> {
  return { schema, about, secret: false };
}

/** Declares a setting whose value must never be printed. */
export function secret<Schema extends z.ZodType>(schema: Schema, about: string): Setting<Schema> {
  return { schema, about, secret: true };
}

/** A whole number within bounds. */
export const integer = (min: number, max: number): z.ZodCoercedNumber<unknown> =>
  z.coerce.number().int().min(min).max(max);

/** Items separated by commas; empty ones are left out. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** The environment names something that cannot be used. The message lists every fault, not only the first. */
export class ConfigError extends AppError {
  constructor(readonly faults: readonly string[]) {
    super('config.invalid', 'user', `The configuration cannot be used:\n  ${faults.join('\n  ')}`, { faults });
  }
}

/** What the environment says of a setting, or what is wrong. A secret may be in the file that `NAME_FILE` names. */
function textOf(name: string, hidden: boolean, env: Environment): { text: string | undefined } | { fault: string } {
  const text = env[name] === '' ? undefined : env[name];
  const path = hidden ? env[`${name}_FILE`] : undefined;
  if (path === undefined || path === '') return { text };
  if (text !== undefined) return { fault: `${name} and ${name}_FILE are both set: keep one` };
  try {
    const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return content === '' ? { fault: `${name}_FILE names an empty file` } : { text: content };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown fault';
    return { fault: `${name}_FILE names a file that cannot be read (${code})` };
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses a group of settings out of the environment. An empty string counts as unset.
 * @throws ConfigError naming every bad variable; no value is repeated, for a secret may stand in the wrong place.
 */
export function parseSettings<Group extends Settings>(group: Group, env: Environment): Values<Group> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, secret: hidden, about }] of Object.entries(group)) {
    // PROXIES_FILE is a setting of its own, with a form of its own.
    const found = textOf(name, hidden && !(`${name}_FILE` in group), env);
    if ('fault' in found) {
      faults.push(`${found.fault} (${about})`);
      continue;
    }
    const { text } = found;
    const parsed = schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else {
      const shown = text === undefined ? 'is not set' : 'has a value that does not fit';
      faults.push(`${name} ${shown}: ${parsed.error.issues.map((issue) => issue.message).join('; ')} (${about})`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Values<Group>;
}
