import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Logger } from '#libs/observability/logger.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { DatabaseProbe } from './database-probe.js';
import { entities } from './entities.js';
import { openDatabase } from './open-database.js';
import { TransactionRunner } from './transaction.js';

/** The one data source, its repositories and transactions, for every room. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature(entities)],
  providers: [
    {
      provide: DataSource,
      inject: [API_SETTINGS, LOGGER],
      useFactory: (settings: ApiSettings, logger: Logger) => openDatabase(settings.DATABASE_URL, logger),
    },
    TransactionRunner,
    DatabaseProbe,
  ],
  exports: [DataSource, TypeOrmModule, TransactionRunner, DatabaseProbe],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }
}
