import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Fields that are never written, wherever they stand in a logged object. */
const SECRET_FIELDS = ['password', 'token', 'accessToken', 'refreshToken', 'authorization', 'cookie', 'secret'];
const paths = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

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
      redact: { paths, censor: '***' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
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
