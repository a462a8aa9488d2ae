import { z } from 'zod';
import { Modality, Severity } from '#libs/contracts/primitives.js';
import { DetectionView } from '#libs/contracts/sockets.js';
import { PageQuery, pageOf } from '../http/pagination.js';

/** Which detections to list, newest first. */
export const DetectionQuery = PageQuery.extend({
  streamId: z.uuid().optional().describe('Only those of this stream.'),
  kind: Modality.optional().describe('Only what was seen (`video`), heard (`audio`) or read (`chat`).'),
  detector: z
    .string()
    .regex(/^[\w.-]{1,40}$/, 'is no id of a detector')
    .optional()
    .describe('Only what this detector found, e.g. `yolo`, `phrases` or `sound`.'),
  label: z
    .string()
    .min(1)
    .max(200)
    .regex(/^\P{Cc}*$/u, 'must have no control characters')
    .optional()
    .describe('Only those of this label: an object such as `person`, the name of a keyword, or a signal.'),
  severity: Severity.optional().describe('Only those of this severity.'),
  verdict: z
    .enum(['true', 'false', 'unsure', 'none'])
    .optional()
    .describe('Only those that people gave this verdict last; `none`: those without one.'),
  keep: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('Only those that stay however old they are, or only the others.'),
  from: z.iso.datetime({ offset: true }).optional().describe('Only those detected at or after this instant.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Only those detected before this instant.'),
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a `seq`')
    .optional()
    .describe('`seq` of the last one you have: lists what came since, oldest first, to catch up.'),
});
export type DetectionQuery = z.infer<typeof DetectionQuery>;

/** What may be changed of a detection. */
export const PatchDetectionRequest = z
  .strictObject({
    keep: z.boolean().describe('Whether it, its evidence and its transcript stay however old they are.'),
  })
  .meta({ id: 'PatchDetectionRequest' });
export type PatchDetectionRequest = z.infer<typeof PatchDetectionRequest>;

/** The same for one stream, whose id is in the path. */
export const StreamDetectionQuery = DetectionQuery.omit({ streamId: true });
export type StreamDetectionQuery = z.infer<typeof StreamDetectionQuery>;

/** One page of detections. */
export const DetectionPage = pageOf(DetectionView, 'DetectionPage');

/** What may stand in for an access token: the query of a signed link. */
export const LinkQuery = z.object({
  expires: z.coerce.number().int().positive().optional().describe('From the link: epoch ms until it holds.'),
  signature: z.string().max(100).optional().describe('From the link.'),
});
export type LinkQuery = z.infer<typeof LinkQuery>;

/** The same, and how the image is wanted. */
export const ImageQuery = LinkQuery.extend({
  boxes: z
    .enum(['0', '1', 'true', 'false'])
    .default('0')
    .transform((text) => text === '1' || text === 'true')
    .describe('`1` draws the boxes with label and score.'),
});
export type ImageQuery = z.infer<typeof ImageQuery>;
