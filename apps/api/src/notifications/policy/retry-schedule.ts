/** Pauses after the first, second … failed attempt, ms: 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h. */
const PAUSES_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, 21_600_000] as const;
const JITTER = 0.2;

/** How an attempt failed, as far as it matters for the next one. */
export interface Failure {
  /** Trying again cannot help. */
  permanent: boolean;
  /** The receiver said how long to wait, ms; obeyed exactly. */
  retryAfterMs: number | null;
}

/**
 * When to try again, null when the delivery is dead.
 * @param failures how many attempts have failed since it was first or anew driven, this one included.
 * @param scale factor on the pauses, never on what the receiver asked for.
 */
export function nextAttemptAt(
  now: number,
  failures: number,
  failure: Failure,
  random: () => number,
  scale = 1,
): number | null {
  const pause = PAUSES_MS[failures - 1];
  if (failure.permanent || pause === undefined) return null;
  if (failure.retryAfterMs !== null) return now + failure.retryAfterMs;
  return now + Math.round(pause * scale * (1 - JITTER + 2 * JITTER * random()));
}
