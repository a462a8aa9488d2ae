import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { BlindEpisodesRepository } from './blind-episodes.repository.js';
import { BlindWatch } from './blind-watch.js';
import { CoverageHoursRepository } from './coverage-hours.repository.js';
import { CoverageObservedHandler } from './coverage-observed.handler.js';
import { CoverageProcess } from './coverage-process.js';
import { CoverageController } from './coverage.controller.js';
import { CoverageRepository } from './coverage.repository.js';
import { CoverageService } from './coverage.service.js';

/** What was watched of what should be, and an alarm when it is not. */
@Module({
  imports: [NotificationsModule, StreamsModule],
  controllers: [CoverageController],
  providers: [
    BlindEpisodesRepository,
    BlindWatch,
    CoverageHoursRepository,
    CoverageObservedHandler,
    CoverageProcess,
    CoverageRepository,
    CoverageService,
  ],
  exports: [CoverageObservedHandler],
})
export class CoverageModule {}
