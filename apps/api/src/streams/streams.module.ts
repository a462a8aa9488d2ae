import { Module } from '@nestjs/common';
import { StreamStatusHandler } from './stream-status.handler.js';
import { StreamsRepository } from './streams.repository.js';

/** What is watched, and what its sessions say. */
@Module({
  providers: [StreamsRepository, StreamStatusHandler],
  exports: [StreamStatusHandler],
})
export class StreamsModule {}
