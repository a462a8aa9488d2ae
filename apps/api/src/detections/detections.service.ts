import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { DetectionView } from '#libs/contracts/sockets.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { drawBoxes } from './box-drawing.js';
import { DetectionViews, frameOf } from './detection-views.js';
import type { DetectionQuery } from './detections.dto.js';
import { clipNotFound, detectionNotFound, imageNotFound } from './detections.errors.js';
import { DetectionsRepository, type NamedDetection } from './detections.repository.js';

/** Injection token of the {@link EvidenceStore}. */
export const EVIDENCE_STORE = Symbol('EVIDENCE_STORE');

/** Position in a list: the sequence number of the last item, and `after` for a list that runs forwards. */
const Position = z.tuple([z.string().regex(/^\d{1,18}$/), z.literal('after').optional()]);

/** What was detected, for those who may see it: admins all, agents what is on streams assigned to them. */
@Injectable()
export class DetectionsService {
  constructor(
    private readonly repository: DetectionsRepository,
    private readonly views: DetectionViews,
    @Inject(EVIDENCE_STORE) private readonly evidence: EvidenceStore,
    private readonly audit: AuditTrail,
  ) {}

  /** One page: newest first, or oldest first after a sequence number. */
  async list(viewer: AuthenticatedUser, query: DetectionQuery): Promise<Page<DetectionView>> {
    const { limit, cursor, after: since, ...filter } = query;
    const [seq, direction] = decodeCursor(cursor, Position) ?? [];
    const after = direction === 'after' ? seq : cursor === undefined ? since : undefined;
    const rows = await this.repository.list({
      ...filter,
      agentId: agentIdOf(viewer),
      before: after === undefined ? (seq ?? null) : null,
      after,
      limit: limit + 1,
    });
    return toPage(
      rows,
      limit,
      ({ detection }) => (after === undefined ? [detection.seq] : [detection.seq, 'after']),
      (row) => this.views.of(row),
    );
  }

  /** @throws AppError `detection.not_found`, also when the viewer may not see it. */
  async get(viewer: AuthenticatedUser, id: string): Promise<DetectionView> {
    return this.views.of(await this.find(id, agentIdOf(viewer)));
  }

  /** Says whether a detection stays however old it is. @throws AppError `detection.not_found` */
  async keep(viewer: AuthenticatedUser, id: string, keep: boolean): Promise<DetectionView> {
    const { detection, streamName } = await this.find(id, agentIdOf(viewer));
    await this.repository.setKeep(id, keep);
    await this.audit.record({
      action: keep ? 'detection.kept' : 'detection.released',
      target: { type: 'detection', id, name: `${detection.label} on ${streamName}` },
      before: { keep: detection.keep },
      after: { keep },
    });
    return this.get(viewer, id);
  }

  /**
   * The evidence image as JPEG, boxes drawn over it when asked.
   * @param viewer null for somebody whose right has been established by a signed link.
   * @throws AppError `detection.not_found`, `detection.image.not_found`
   */
  async image(viewer: AuthenticatedUser | null, id: string, boxes: boolean): Promise<Buffer> {
    const { detection } = await this.find(id, viewer === null ? null : agentIdOf(viewer));
    const jpeg = detection.evidenceKey === null ? null : await this.evidence.read(detection.evidenceKey);
    if (jpeg === null) throw imageNotFound();
    const frame = frameOf(detection);
    return boxes && frame !== null ? drawBoxes(jpeg, frame, detection.objects) : jpeg;
  }

  /**
   * The stretch of sound as WAV.
   * @param viewer null for somebody whose right has been established by a signed link.
   * @throws AppError `detection.not_found`, `detection.clip.not_found`
   */
  async clip(viewer: AuthenticatedUser | null, id: string): Promise<Buffer> {
    const { detection } = await this.find(id, viewer === null ? null : agentIdOf(viewer));
    const wav = detection.clipKey === null ? null : await this.evidence.read(detection.clipKey);
    if (wav === null) throw clipNotFound();
    return wav;
  }

  private async find(id: string, agentId: string | null): Promise<NamedDetection> {
    const [row] = await this.repository.list({ id, agentId, before: null, limit: 1 });
    if (row === undefined) throw detectionNotFound();
    return row;
  }
}

function agentIdOf(viewer: AuthenticatedUser): string | null {
  return viewer.role === 'admin' ? null : viewer.id;
}
