import type { INestApplication } from '@nestjs/common';
import type { Logger } from '#libs/observability/logger.js';
import { stopTracing } from '#libs/observability/tracing.js';

/** Closing takes so long at most; then the process ends anyway. */
const PATIENCE_MS = 8_000;

/** Closes the application on SIGTERM or SIGINT, in bounded time; a second signal ends the process at once. */
export function stopOnSignals(app: INestApplication, logger: Logger): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('closing took too long');
      process.exit(1);
    }, PATIENCE_MS).unref();
    void app
      .close()
      .then(stopTracing)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ error: String(error) }, 'closing failed');
          process.exit(1);
        },
      );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}
