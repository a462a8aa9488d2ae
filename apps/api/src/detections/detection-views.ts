import { Injectable } from '@nestjs/common';
import type { Box } from '#libs/contracts/primitives.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import type { NamedDetection } from './detections.repository.js';
import { ImageLinks } from './image-links.js';

/** Shows detections as clients see them, over REST and Socket.IO alike. */
@Injectable()
export class DetectionViews {
  constructor(private readonly links: ImageLinks) {}

  of({ detection, streamName }: NamedDetection): DetectionView {
    const [best] = detection.objects;
    const nowhere: Box = [0, 0, 0, 0];
    return {
      id: detection.id,
      seq: detection.seq,
      streamId: detection.streamId,
      streamName,
      kind: detection.kind,
      label: detection.label,
      severity: detection.severity,
      confidence: detection.confidence,
      box: best?.box ?? nowhere,
      objects: detection.objects,
      frame: { width: detection.frameWidth, height: detection.frameHeight },
      model: detection.model,
      imageUrl: detection.evidenceKey === null ? null : this.links.linkTo(detection.id),
      startedAt: detection.startedAt.toISOString(),
      detectedAt: detection.detectedAt.toISOString(),
      endedAt: detection.endedAt?.toISOString() ?? null,
      frames: detection.frames,
      ptsMs: detection.ptsMs,
    };
  }
}
