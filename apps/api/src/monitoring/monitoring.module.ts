import { Module } from '@nestjs/common';
import { CanaryModule } from '../canary/canary.module.js';
import { RulesModule } from '../rules/rules.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { CaptureControl } from './capture-control.js';
import { MonitoringController } from './monitoring.controller.js';
import { MonitoringService } from './monitoring.service.js';
import { Reconciler } from './reconciler.js';

/** Start, stop, restart; captures kept in line with what should be watched; the monitors that are there. */
@Module({
  imports: [CanaryModule, StreamsModule, RulesModule],
  controllers: [MonitoringController],
  providers: [CaptureControl, MonitoringService, Reconciler],
  exports: [MonitoringService],
})
export class MonitoringModule {}
