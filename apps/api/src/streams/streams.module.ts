import { Module } from '@nestjs/common';
import { DesiredState } from './desired-state.service.js';
import { StreamStatusHandler } from './stream-status.handler.js';
import { StreamsController } from './streams.controller.js';
import { StreamsRepository } from './streams.repository.js';
import { StreamsService } from './streams.service.js';

/** What is watched, and what its sessions say. */
@Module({
  controllers: [StreamsController],
  providers: [StreamsRepository, StreamsService, DesiredState, StreamStatusHandler],
  exports: [StreamStatusHandler, StreamsService, DesiredState],
})
export class StreamsModule {}
