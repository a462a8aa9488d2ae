import { Global, Module } from '@nestjs/common';
import { FactBacklog } from '#libs/bus/fact-backlog.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import { Metrics } from '#libs/observability/metrics.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import { ApiReadings } from './api-readings.js';
import { MetricsAccess } from './metrics-access.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsRepository } from './metrics.repository.js';

/** What Prometheus is told; any room may inject {@link Metrics} and add figures of its own. */
@Global()
@Module({
  controllers: [MetricsController],
  providers: [
    { provide: Metrics, useFactory: () => new Metrics('api') },
    { provide: FactBacklog, inject: [BUS_REDIS], useFactory: (redis: RedisConnection) => new FactBacklog(redis) },
    ApiReadings,
    MetricsAccess,
    MetricsRepository,
  ],
  exports: [Metrics],
})
export class MetricsModule {}
