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

/**
 * Parses a group of settings out of the environment. An empty string counts as unset.
 * @throws ConfigError naming every bad variable; values of secrets are not repeated.
 */
export function parseSettings<Group extends Settings>(
  group: Group,
  env: Readonly<Record<string, string | undefined>>,
): Values<Group> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, secret: hidden, about }] of Object.entries(group)) {
    const text = env[name] === '' ? undefined : env[name];
    const parsed = schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else {
      const shown = text === undefined ? 'is not set' : hidden ? 'has a value that does not fit' : `is "${text}"`;
      faults.push(`${name} ${shown}: ${parsed.error.issues.map((issue) => issue.message).join('; ')} (${about})`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Values<Group>;
}
