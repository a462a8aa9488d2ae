import { z } from 'zod';
import { CoveragePart } from './coverage.js';
import { EpochMs } from './primitives.js';

/**
 * What became of one part of a canary run: `found` what was planted; `missed` it; `unproven`: it cannot be tried here,
 * such as speech without a model.
 */
export const CanaryOutcome = z.enum(['found', 'missed', 'unproven']).meta({ id: 'CanaryOutcome' });
export type CanaryOutcome = z.infer<typeof CanaryOutcome>;

/**
 * A monitor says what became of one part of one run of its canary. A run is complete when each of its parts was told;
 * each is told once. It is about no stream of anybody's.
 */
export const CanaryObserved = z.object({
  type: z.literal('canary.observed'),
  runId: z.uuid(),
  monitorId: z.string().min(1).max(64),
  part: CoveragePart,
  outcome: CanaryOutcome,
  /** A sentence for a person: why it was not found; empty when it was. */
  reason: z.string().max(500),
  /** When the run began. */
  startedAt: EpochMs,
  /** When what was planted was on air, and when it was found; null when it was not. */
  airedAt: EpochMs.nullable(),
  foundAt: EpochMs.nullable(),
});
export type CanaryObserved = z.infer<typeof CanaryObserved>;

/** A monitor stops in order: no further run of its canary is to be expected. */
export const CanaryLeft = z.object({
  type: z.literal('canary.left'),
  monitorId: z.string().min(1).max(64),
  at: EpochMs,
});
export type CanaryLeft = z.infer<typeof CanaryLeft>;

/** What was planted must have come out within so long of a run's beginning, ms; what has not is missed. */
export const CANARY_RUN_MS = 30_000;
