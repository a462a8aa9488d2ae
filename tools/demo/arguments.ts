import { parseArgs } from 'node:util';
import { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';
import { Wanted } from './wanted-kinds.js';

/** What the demo was asked for. */
export interface DemoArguments {
  /** One JSON object per line instead of words. */
  json: boolean;
  /** Ends as soon as one of each came; null stays up. */
  until: readonly Wanted[] | null;
  /** Time in ms for them to come in; null waits for ever. */
  timeoutMs: number | null;
  help: boolean;
}

/** How the demo is used. */
export const DEMO_USAGE = `usage: npm run demo -- [--json] [--until kinds] [--timeout seconds]

Starts Vigil and a live stream with pictures, sound and chat, and shows what is found in it. The pictures are
photographs, the sound is made by ffmpeg, the chat is a script on a server of the demo's own: none needs the internet.
Mails about it go to a mail server of the demo's own, whose inbox is a page on this machine; the first alert is
acknowledged.
  --json             one JSON object per line on stdout
  --until kinds      ends with exit code 0 once each of these came, else 1; one or more of
                     video (an object), audio (a sound or a spoken word), chat (a written word),
                     email (a mail about one), acknowledged (somebody took an alert on),
                     with commas: --until video,audio,chat,email,acknowledged
  --timeout seconds  how long --until waits (default 180)
  --help             this text
Data, logs and the last 50 mails are kept in .vigil/demo/. Ctrl-C stops everything.
`;

const KINDS = Wanted.options.join(', ');

const Flags = z.object({
  json: z.boolean().default(false),
  help: z.boolean().default(false),
  until: z
    .string()
    .transform((text) => [...new Set(text.split(',').map((kind) => kind.trim()))])
    .pipe(z.array(z.enum(Wanted.options, { error: `--until knows: ${KINDS}, with commas between them` })))
    .optional(),
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
    if (!flags.success) return [...new Set(flags.error.issues.map(({ message }) => message))].join('; ');
    const { json, help, until = null, timeout } = flags.data;
    if (until === null && timeout !== undefined) return '--timeout needs --until';
    return { json, help, until, timeoutMs: until === null ? null : (timeout ?? 180) * 1_000 };
  } catch (error) {
    return messageOf(error);
  }
}
