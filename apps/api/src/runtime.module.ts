import { Module, type DynamicModule } from '@nestjs/common';
import type { apiSettings } from '#libs/config/shared.settings.js';
import type { Values } from '#libs/config/settings.js';
import type { Logger } from '#libs/observability/logger.js';

/** The api's settings, parsed. */
export type ApiSettings = Values<typeof apiSettings>;

/** Injection token of {@link ApiSettings}. */
export const API_SETTINGS = Symbol('API_SETTINGS');
/** Injection token of the process's {@link Logger}. */
export const LOGGER = Symbol('LOGGER');

/** What the process was started with, for every room. */
@Module({})
export class RuntimeModule {
  static with(settings: ApiSettings, logger: Logger): DynamicModule {
    return {
      module: RuntimeModule,
      global: true,
      providers: [
        { provide: API_SETTINGS, useValue: settings },
        { provide: LOGGER, useValue: logger },
      ],
      exports: [API_SETTINGS, LOGGER],
    };
  }
}
