import { type DynamicModule, Module } from '@nestjs/common';
import { HealthController } from './health/health.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { MonitorRuntime } from './monitor-runtime.js';

/** The monitor: its runtime and the health check that tells of it. */
@Module({})
export class MonitorModule {
  static of(runtime: MonitorRuntime): DynamicModule {
    return {
      module: MonitorModule,
      controllers: [HealthController, MetricsController],
      providers: [{ provide: MonitorRuntime, useValue: runtime }],
    };
  }
}
