import { randomInt, randomUUID } from 'node:crypto';
import type { VideoOpened } from '#libs/contracts/facts.js';

/** A finding as a monitor makes it, of a random stream and rule. Rules are numbered ids; their label says which. */
export function madeDetection(
  streamIds: readonly string[],
  rules: number,
  image = false,
  now = Date.now(),
): VideoOpened {
  const rule = randomInt(rules);
  const eventId = randomUUID();
  return {
    type: 'detection.opened',
    eventId,
    streamId: streamIds[randomInt(streamIds.length)] ?? '',
    session: 1,
    kind: 'video',
    ruleId: `00000000-0000-4000-8000-${String(rule).padStart(12, '0')}`,
    ruleVersion: 1,
    label: `label ${String(rule)}`,
    severity: 'high',
    confidence: 0.9,
    objects: [{ label: 'person', score: 0.9, box: [10, 20, 110, 220] }],
    frame: { width: 768, height: 432 },
    evidenceKey: image ? `detections/${eventId}.jpg` : null,
    detector: 'yolo',
    detail: '',
    clipKey: null,
    model: 'yolox-nano',
    startedAt: now - 1_000,
    detectedAt: now,
    ptsMs: 1_000,
  };
}
