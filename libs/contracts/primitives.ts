import { z } from 'zod';

/** How grave a hit is; separate from confidence. */
export const Severity = z.enum(['info', 'low', 'medium', 'high', 'critical']).meta({ id: 'Severity' });
export type Severity = z.infer<typeof Severity>;

/** A bounding box `[x1, y1, x2, y2]` in pixels of the source frame. */
export const Box = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .describe('[x1, y1, x2, y2] in pixels of the source frame');
export type Box = z.infer<typeof Box>;

/** One object found in one frame. */
export const DetectedObject = z
  .object({
    label: z.string().min(1).max(100),
    score: z.number().min(0).max(1),
    box: Box,
  })
  .meta({ id: 'DetectedObject' });
export type DetectedObject = z.infer<typeof DetectedObject>;

/** Which of a stream's parts something is about: its picture, its sound, its chat. */
export const Modality = z.enum(['video', 'audio', 'chat']).meta({ id: 'Modality' });
export type Modality = z.infer<typeof Modality>;

/**
 * What is told without any rule of an operator's: five things that can be heard without a speech model, and a chat
 * that turns hostile.
 */
export const Signal = z
  .enum(['dead_air', 'audio_lost', 'clipping', 'loudness_jump', 'speech_activity', 'hostile_chat'])
  .meta({ id: 'Signal' });
export type Signal = z.infer<typeof Signal>;

/** Words in which a phrase was found: a line of chat or what was said. Offsets are UTF-16 units of `text`. */
export const Quote = z
  .object({
    text: z.string().max(8_192),
    start: z.number().int().nonnegative(),
    end: z.number().int().positive(),
    /** How the text was read when the rule hit, e.g. `plain` or `leet`; see the phrase engine. */
    view: z.string().max(20),
    /** Language of the words, as far as it is known. */
    language: z.string().max(20).nullable(),
  })
  .meta({ id: 'Quote' });
export type Quote = z.infer<typeof Quote>;

/** A point of the picture as parts of its width and height, 0 to 1, from the top left. */
export const RelativePoint = z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]);
export type RelativePoint = z.infer<typeof RelativePoint>;

/** Milliseconds since the Unix epoch. */
export const EpochMs = z.number().int().nonnegative();

/**
 * What a stream is doing, as its session last said:
 * `starting` (no frame yet), `live`, `degraded` (up, but something is not watched), `offline` (the source is not
 * on air; it is tried again), `error` (cannot be watched as configured; it is tried again, slowly), `stopped`.
 */
export const StreamStatus = z
  .enum(['stopped', 'pending', 'starting', 'live', 'degraded', 'offline', 'error'])
  .meta({ id: 'StreamStatus' });
export type StreamStatus = z.infer<typeof StreamStatus>;

/** Why a stream is not simply live. Stable codes that a client may switch on. */
export const StatusReason = z
  .enum([
    'unknown_host',
    'refused_address',
    'not_found',
    'forbidden',
    'not_a_stream',
    'unsupported_scheme',
    'stalled',
    'unreachable',
    'budget_exceeded',
    'ended',
    'capture_failed',
    'model_missing',
    'detector_failed',
    'restarting',
    'no_monitor',
    'offline',
    'private',
    'geo_blocked',
    'auth_required',
    'challenge',
    'gone',
    'program_missing',
  ])
  .meta({ id: 'StatusReason' });
export type StatusReason = z.infer<typeof StatusReason>;
