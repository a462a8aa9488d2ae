import { parseArgs } from 'node:util';
import { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';

/** What the demo was asked for. */
export interface DemoArguments {
  /** One JSON object per line instead of words. */
  json: boolean;
  /** Ends as soon as this was seen; null stays up. */
  until: 'video' | null;
  /** Time in ms to see it in; null waits for ever. */
  timeoutMs: number | null;
  help: boolean;
}

/** How the demo is used. */
export const DEMO_USAGE = `usage: npm run demo -- [--json] [--until video] [--timeout seconds]

Starts Vigil and a live stream made of photographs, and shows what is found in it.
  --json             one JSON object per line on stdout
  --until video      ends with exit code 0 once an object was found, else 1
  --timeout seconds  how long --until waits (default 180)
  --help             this text
Data and logs are kept in .vigil/demo/. Ctrl-C stops everything.
`;

const Flags = z.object({
  json: z.boolean().default(false),
  help: z.boolean().default(false),
  until: z.enum(['video'], { error: '--until knows: video' }).optional(),
  timeout: z.coerce
    .number({ error: '--timeout wants seconds' })
    .positive({ error: '--timeout wants seconds above 0' })
    .max(86_400, { error: '--timeout wants at most 86400 seconds' })
    .optional(),
});

/**
 * Parses the demo's arguments.
 * @returns a sentence when they cannot be used.
 */
export function parseDemoArguments(args: readonly string[]): DemoArguments | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        until: { type: 'string' },
        timeout: { type: 'string' },
      },
    });
    const flags = Flags.safeParse(values);
    if (!flags.success) return flags.error.issues.map(({ message }) => message).join('; ');
    const { json, help, until = null, timeout } = flags.data;
    if (until === null && timeout !== undefined) return '--timeout needs --until';
    return { json, help, until, timeoutMs: until === null ? null : (timeout ?? 180) * 1_000 };
  } catch (error) {
    return messageOf(error);
  }
}
