import { z } from 'zod';
import { Severity } from '#libs/contracts/primitives.js';
import { DetectionView } from '#libs/contracts/sockets.js';
import { PageQuery, pageOf } from '../http/pagination.js';

/** Which detections to list, newest first. */
export const DetectionQuery = PageQuery.extend({
  streamId: z.uuid().optional().describe('Only those of this stream.'),
  label: z.string().min(1).max(100).optional().describe('Only those of this label, e.g. `person`.'),
  severity: Severity.optional().describe('Only those of this severity.'),
  from: z.iso.datetime({ offset: true }).optional().describe('Only those detected at or after this instant.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Only those detected before this instant.'),
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a `seq`')
    .optional()
    .describe('`seq` of the last one you have: lists what came since, oldest first, to catch up.'),
});
export type DetectionQuery = z.infer<typeof DetectionQuery>;

/** The same for one stream, whose id is in the path. */
export const StreamDetectionQuery = DetectionQuery.omit({ streamId: true });
export type StreamDetectionQuery = z.infer<typeof StreamDetectionQuery>;

/** One page of detections. */
export const DetectionPage = pageOf(DetectionView, 'DetectionPage');

/** How the image is wanted, and what may stand in for an access token. */
export const ImageQuery = z.object({
  boxes: z
    .enum(['0', '1', 'true', 'false'])
    .default('0')
    .transform((text) => text === '1' || text === 'true')
    .describe('`1` draws the boxes with label and score.'),
  expires: z.coerce.number().int().positive().optional().describe('From `imageUrl`: epoch ms until it holds.'),
  signature: z.string().max(100).optional().describe('From `imageUrl`.'),
});
export type ImageQuery = z.infer<typeof ImageQuery>;
