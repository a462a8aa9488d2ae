import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { NestLogger } from '#libs/observability/nest-logger.js';
import { MonitorRuntime } from './monitor-runtime.js';
import { MonitorModule } from './monitor.module.js';

try {
  const settings = loadSettings(monitorSettings);
  const logger = createLogger('monitor', settings.LOG_LEVEL);
  const runtime = new MonitorRuntime(settings, logger);
  const app = await NestFactory.create(MonitorModule.of(runtime), { logger: new NestLogger(logger) });
  app.enableShutdownHooks();
  await app.listen(settings.MONITOR_PORT, settings.MONITOR_HOST);
  await runtime.start();
  logger.info({ port: settings.MONITOR_PORT }, 'monitor is ready');
} catch (error) {
  const text = error instanceof AppError ? error.message : messageOf(error);
  process.stderr.write(`The monitor cannot start: ${text}\n`);
  process.exit(1);
}
