import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { DetectionsService } from '../detections/detections.service.js';
import type { PutVerdictRequest, VerdictHistory, VerdictView } from './reviews.dto.js';
import { ReviewsRepository, type NamedVerdict } from './reviews.repository.js';

/** What people say of findings. */
@Injectable()
export class ReviewsService {
  constructor(
    private readonly repository: ReviewsRepository,
    private readonly detections: DetectionsService,
    private readonly audit: AuditTrail,
  ) {}

  /** Gives a verdict, which stands until another is given. @throws AppError `detection.not_found`. */
  async give(viewer: AuthenticatedUser, detectionId: string, request: PutVerdictRequest): Promise<VerdictView> {
    const detection = await this.detections.get(viewer, detectionId);
    const [before] = await this.repository.history(detectionId);
    await this.repository.add({ detectionId, userId: viewer.id, ...request });
    const [now] = await this.repository.history(detectionId);
    if (now === undefined) throw new Error('A verdict that was just given is not there.');
    await this.audit.record({
      action: 'detection.reviewed',
      target: { type: 'detection', id: detectionId, name: `${detection.label} on ${detection.streamName}` },
      before: before === undefined ? null : { verdict: before.verdict, note: before.note },
      after: { verdict: now.verdict, note: now.note },
    });
    return viewOf(now);
  }

  /** @throws AppError `detection.not_found`. */
  async history(viewer: AuthenticatedUser, detectionId: string): Promise<VerdictHistory> {
    await this.detections.get(viewer, detectionId);
    return { items: (await this.repository.history(detectionId)).map(viewOf) };
  }
}

function viewOf({ createdAt, ...verdict }: NamedVerdict): VerdictView {
  return { ...verdict, createdAt: createdAt.toISOString() };
}
