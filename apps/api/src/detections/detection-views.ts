import { Injectable } from '@nestjs/common';
import type { DetectionView } from '#libs/contracts/sockets.js';
import type { DetectionEntity } from './detection.entity.js';
import type { NamedDetection } from './detections.repository.js';
import { EvidenceLinks } from './evidence-links.js';

/** Shows detections as clients see them, over REST and Socket.IO alike. */
@Injectable()
export class DetectionViews {
  constructor(private readonly links: EvidenceLinks) {}

  of({ detection, streamName }: NamedDetection): DetectionView {
    const [best] = detection.objects;
    return {
      id: detection.id,
      seq: detection.seq,
      streamId: detection.streamId,
      streamName,
      kind: detection.kind,
      label: detection.label,
      severity: detection.severity,
      confidence: detection.confidence,
      detector: detection.detector,
      model: detection.model,
      ruleId: detection.ruleId,
      detail: detection.detail,
      box: best?.box ?? null,
      objects: detection.objects,
      frame: frameOf(detection),
      quote: detection.quote,
      segmentId: detection.segmentId,
      chat: detection.chat,
      imageUrl: detection.evidenceKey === null ? null : this.links.linkTo(detection.id, 'image'),
      clipUrl: detection.clipKey === null ? null : this.links.linkTo(detection.id, 'clip'),
      startedAt: detection.startedAt.toISOString(),
      detectedAt: detection.detectedAt.toISOString(),
      endedAt: detection.endedAt?.toISOString() ?? null,
      frames: detection.frames,
      ptsMs: detection.ptsMs,
      keep: detection.keep,
    };
  }
}

/** Size of the evidence frame, null for what was not seen. */
export function frameOf({ frameWidth: width, frameHeight: height }: DetectionEntity): DetectionView['frame'] {
  return width === null || height === null ? null : { width, height };
}
