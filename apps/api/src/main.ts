import { loadSettings } from '#libs/config/environment.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { messageOf, AppError } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { startTracing } from '#libs/observability/tracing.js';
import { createApp } from './create-app.js';
import { startRedirect } from './http/https-redirect.js';
import { stopOnSignals } from './shutdown.js';

/** Prints one sentence for a person and ends the process. */
function giveUp(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** What a person can do about it; null for a fault that nobody foresaw. */
function sentenceFor(error: unknown, host: string, port: number): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${host}:${String(port)}`;
  if (code === 'EADDRINUSE') return `Port ${place} is in use: stop what listens there, or set MAIN_APP_PORT.`;
  if (code === 'EACCES') return `Listening on ${place} is not allowed: choose another MAIN_APP_PORT.`;
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine: check MAIN_APP_HOST.`;
  return error instanceof AppError ? error.message : null;
}

async function main(): Promise<void> {
  const settings = loadSettings(apiSettings);
  const logger = createLogger('api', settings.LOG_LEVEL);
  const { MAIN_APP_HOST: host, MAIN_APP_PORT: port } = settings;
  try {
    await startTracing('api', settings, logger);
    const app = await createApp(settings, logger);
    stopOnSignals(app, logger);
    await app.listen(port, host);
    if (settings.SSL_REDIRECT_PORT !== undefined) await startRedirect(app, settings.SSL_REDIRECT_PORT, host, port);
    logger.info({ url: await app.getUrl() }, 'the api listens');
  } catch (error) {
    const sentence = sentenceFor(error, host, port);
    if (sentence === null) logger.error({ stack: error instanceof Error ? error.stack : undefined }, messageOf(error));
    giveUp(sentence ?? `The api could not start: ${messageOf(error)}`);
  }
}

main().catch((error: unknown) => giveUp(messageOf(error)));
