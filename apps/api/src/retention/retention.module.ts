import { Module } from '@nestjs/common';
import { DeadFacts } from '#libs/bus/dead-facts.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import { DetectionsModule } from '../detections/detections.module.js';
import { EvidenceRemover } from './evidence-remover.js';
import { RetentionProcess } from './retention-process.js';
import { RetentionRepository } from './retention.repository.js';
import { RetentionService } from './retention.service.js';

/** How long everything is kept. */
@Module({
  imports: [DetectionsModule],
  providers: [
    { provide: DeadFacts, inject: [BUS_REDIS], useFactory: (redis: RedisConnection) => new DeadFacts(redis) },
    EvidenceRemover,
    RetentionProcess,
    RetentionRepository,
    RetentionService,
  ],
  exports: [RetentionService],
})
export class RetentionModule {}
