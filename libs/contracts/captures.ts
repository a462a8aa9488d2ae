import { z } from 'zod';
import { Severity } from './primitives.js';

/** Data of a job in the `captures` queue: everything a monitor needs to watch one stream. */
export const CaptureJob = z.object({
  v: z.literal(1),
  streamId: z.uuid(),
  /** Grows with every start, stop, restart and edit; a capture of an older generation must end. */
  generation: z.number().int().nonnegative(),
  name: z.string(),
  /** Id of the platform adapter, e.g. `url`. */
  platform: z.string().min(1),
  url: z.string().min(1).max(4096),
  /** 1 (most urgent) to 10. */
  priority: z.number().int().min(1).max(10),
});
export type CaptureJob = z.infer<typeof CaptureJob>;

/** Told to the monitors at large; the one that holds the capture obeys. */
export const CaptureCommand = z.object({
  v: z.literal(1),
  command: z.enum(['stop']),
  streamId: z.uuid(),
  /** Captures of this or an older generation end. */
  upToGeneration: z.number().int().nonnegative(),
});
export type CaptureCommand = z.infer<typeof CaptureCommand>;

/** One object on the watch list. */
export const ObjectRule = z.object({
  id: z.uuid(),
  version: z.number().int().positive(),
  label: z.string().min(1).max(100),
  /** Lowest score that counts, 0 to 1. */
  threshold: z.number().min(0).max(1),
  severity: Severity,
  /** After an event opens, no further one of this rule on the same stream for so long. */
  cooldownMs: z.number().int().nonnegative(),
});
export type ObjectRule = z.infer<typeof ObjectRule>;

/** All enabled rules; `version` grows with every change. */
export const RuleSet = z.object({
  v: z.literal(1),
  version: z.number().int().nonnegative(),
  objects: z.array(ObjectRule).max(1000),
});
export type RuleSet = z.infer<typeof RuleSet>;
