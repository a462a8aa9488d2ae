import { Module } from '@nestjs/common';
import { DesiredState } from './desired-state.service.js';
import { StreamJobsController } from './jobs/stream-jobs.controller.js';
import { StreamJobsRepository } from './jobs/stream-jobs.repository.js';
import { StreamJobsService } from './jobs/stream-jobs.service.js';
import { StreamStatusHandler } from './stream-status.handler.js';
import { StreamsController } from './streams.controller.js';
import { StreamsRepository } from './streams.repository.js';
import { StreamsService } from './streams.service.js';

/** What is watched, and what its sessions say. */
@Module({
  // The jobs first: their fixed paths would else be taken for ids.
  controllers: [StreamJobsController, StreamsController],
  providers: [
    StreamsRepository,
    StreamsService,
    DesiredState,
    StreamJobsRepository,
    StreamJobsService,
    StreamStatusHandler,
  ],
  exports: [StreamStatusHandler, StreamsService, DesiredState],
})
export class StreamsModule {}
