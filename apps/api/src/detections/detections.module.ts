import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { CanaryLeftHandler, CanaryObservedHandler } from '../canary/canary-fact.handlers.js';
import { CanaryModule } from '../canary/canary.module.js';
import { CoverageModule } from '../coverage/coverage.module.js';
import { CoverageObservedHandler } from '../coverage/coverage-observed.handler.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { StreamStatusHandler } from '../streams/stream-status.handler.js';
import { StreamsModule } from '../streams/streams.module.js';
import { TranscriptWrittenHandler } from '../transcripts/transcript-written.handler.js';
import { TranscriptsModule } from '../transcripts/transcripts.module.js';
import { DeadFactsController } from './dead-facts.controller.js';
import { DeadFactsService } from './dead-facts.service.js';
import { DetectionClosedHandler, DetectionContextHandler, DetectionOpenedHandler } from './detection-fact.handlers.js';
import { DetectionEntity } from './detection.entity.js';
import { DetectionViews } from './detection-views.js';
import { DetectionsController } from './detections.controller.js';
import { DetectionsRepository } from './detections.repository.js';
import { DetectionsService, EVIDENCE_STORE } from './detections.service.js';
import { EvidenceAccess } from './evidence-access.js';
import { EvidenceLinks } from './evidence-links.js';
import { FACT_HANDLERS } from './fact-handler.js';
import { FactWriter } from './fact-writer.js';
import { IngestProcess } from './ingest-process.js';
import { SpoolProgressRepository } from './spool-progress.repository.js';

/** From facts to rows, and from rows to those who may see them. */
@Module({
  imports: [
    TypeOrmModule.forFeature([DetectionEntity]),
    CanaryModule,
    CoverageModule,
    NotificationsModule,
    StreamsModule,
    TranscriptsModule,
  ],
  controllers: [DetectionsController, DeadFactsController],
  providers: [
    DeadFactsService,
    DetectionViews,
    DetectionsRepository,
    DetectionsService,
    DetectionOpenedHandler,
    DetectionContextHandler,
    DetectionClosedHandler,
    EvidenceAccess,
    EvidenceLinks,
    FactWriter,
    IngestProcess,
    SpoolProgressRepository,
    {
      provide: EVIDENCE_STORE,
      inject: [API_SETTINGS],
      useFactory: ({ EVIDENCE_URL }: ApiSettings) => createEvidenceStore(EVIDENCE_URL),
    },
    {
      // What was said comes before what was found in it. Within a batch beginnings come before ends: an event may open and close in the same one.
      provide: FACT_HANDLERS,
      inject: [
        TranscriptWrittenHandler,
        DetectionOpenedHandler,
        DetectionContextHandler,
        DetectionClosedHandler,
        StreamStatusHandler,
        CoverageObservedHandler,
        CanaryObservedHandler,
        CanaryLeftHandler,
      ],
      useFactory: (...handlers: unknown[]) => handlers,
    },
  ],
  exports: [DetectionsService, DetectionViews, EVIDENCE_STORE],
})
export class DetectionsModule {}
