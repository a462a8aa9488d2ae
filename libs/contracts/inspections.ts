import { z } from 'zod';
import { DetectedObject } from './primitives.js';

/** Bounds of a picture that is looked at on demand. The longer side, pixels; its JPEG, bytes; how long it is waited for, ms. */
export const INSPECTION_LIMITS = { edge: 1_280, bytes: 2_097_152, patienceMs: 30_000, objects: 300 } as const;

/**
 * Hint to every monitor: somebody wants a picture looked at. The picture lies in Redis under the id until one monitor
 * takes it, or nobody waits for it any more.
 */
export const InspectionRequest = z
  .object({
    v: z.literal(1),
    id: z.uuid(),
    /** Which detector shall look; null for any. */
    detector: z.string().min(1).max(100).nullable(),
    minConfidence: z.number().min(0).max(1),
    /** So long the answer is waited for, from when it was asked. */
    patienceMs: z.number().int().positive().max(INSPECTION_LIMITS.patienceMs),
  })
  .meta({ id: 'InspectionRequest' });
export type InspectionRequest = z.infer<typeof InspectionRequest>;

/** The picture of an {@link InspectionRequest}: a JPEG that the api has made, upright, in base64. */
export const InspectionPicture = z
  .base64()
  .min(4)
  .max(Math.ceil(INSPECTION_LIMITS.bytes / 3) * 4)
  .meta({ id: 'InspectionPicture' });

/** Hint to the api: what the monitor that took the picture has found, boxes in pixels of the JPEG. */
export const InspectionAnswer = z
  .discriminatedUnion('outcome', [
    z.object({
      v: z.literal(1),
      id: z.uuid(),
      outcome: z.literal('inspected'),
      detector: z.string().min(1).max(100),
      model: z.string().max(200),
      objects: z.array(DetectedObject).max(INSPECTION_LIMITS.objects),
    }),
    /** It could not be looked at; a sentence for a person. */
    z.object({ v: z.literal(1), id: z.uuid(), outcome: z.literal('failed'), detail: z.string().max(500) }),
  ])
  .meta({ id: 'InspectionAnswer' });
export type InspectionAnswer = z.infer<typeof InspectionAnswer>;
