import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { CanaryLeftHandler, CanaryObservedHandler } from './canary-fact.handlers.js';
import { CanaryProcess } from './canary-process.js';
import { CanaryReadings } from './canary-readings.repository.js';
import { CanaryRunsRepository } from './canary-runs.repository.js';
import { CanaryWatch } from './canary-watch.js';
import { CanaryWatchRepository } from './canary-watch.repository.js';
import { CanaryController } from './canary.controller.js';
import { CanaryService } from './canary.service.js';
import { ChannelProbes } from './channel-probes.js';

/** Whether what monitors plant in streams of their own comes out, and whether channels answer; an alarm when not. */
@Module({
  imports: [NotificationsModule],
  controllers: [CanaryController],
  providers: [
    CanaryLeftHandler,
    CanaryObservedHandler,
    CanaryProcess,
    CanaryReadings,
    CanaryRunsRepository,
    CanaryService,
    CanaryWatch,
    CanaryWatchRepository,
    ChannelProbes,
  ],
  exports: [CanaryLeftHandler, CanaryObservedHandler, CanaryService],
})
export class CanaryModule {}
