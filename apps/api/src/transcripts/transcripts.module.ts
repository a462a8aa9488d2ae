import { Module } from '@nestjs/common';
import { TranscriptWrittenHandler } from './transcript-written.handler.js';
import { TranscriptsController } from './transcripts.controller.js';
import { TranscriptsRepository } from './transcripts.repository.js';
import { TranscriptsService } from './transcripts.service.js';

/** What was said: kept, shown live, searched. */
@Module({
  controllers: [TranscriptsController],
  providers: [TranscriptsRepository, TranscriptsService, TranscriptWrittenHandler],
  exports: [TranscriptWrittenHandler],
})
export class TranscriptsModule {}
