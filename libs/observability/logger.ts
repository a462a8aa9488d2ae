import { types } from 'node:util';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Names of fields whose values are never written, wherever they stand in a logged object. */
const SECRET = /pass(word|phrase)?$|secret|token|authorization|cookie|credential|api_?key|private_?key/i;
/** How deep and how many fields of an object are written; what is beyond is left out. */
const [DEEPEST, MOST] = [6, 200];

/** A copy without secrets, of bounded size. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactUrls(value);
  if (types.isNativeError(value)) {
    return { type: value.name, message: redactUrls(value.message), stack: redactUrls(value.stack ?? '') };
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST)
      .map(([name, field]) => [name, SECRET.test(name) ? '***' : withoutSecrets(field, depth + 1)]),
  );
}

/** Hides user, password and query of every url in a text: stream urls carry tokens there. */
export function redactUrls(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,300}@/gi, '$1***@')
    .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s?#]{1,2000})\?[^\s#]+/gi, '$1?***');
}

/** The structured logger of a process: JSON lines, secrets taken out. */
export function createLogger(app: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { app },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withoutSecrets(fields) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg: unknown) => (typeof arg === 'string' ? redactUrls(arg) : arg)) as typeof args,
          );
        },
      },
    },
    destination,
  );
}
