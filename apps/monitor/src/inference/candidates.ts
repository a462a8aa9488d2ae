import type { Box } from '#libs/contracts/primitives.js';

/** An object before its label is looked up; box in pixels of the model's input. */
export interface Candidate {
  classIndex: number;
  score: number;
  box: Box;
}

/** Candidates that enter suppression at most, best first. */
export const maxCandidates = 1_000;
/** Objects of one picture at most. */
export const maxObjects = 300;
/** Overlap (intersection over union) above which the weaker box of a class is dropped. */
export const overlapLimit = 0.45;

/**
 * Keeps the best candidates and drops the weaker ones of those that overlap, class by class (greedy non-maximum
 * suppression). Best first. At most {@link maxCandidates} are compared.
 */
export function suppress(candidates: Candidate[], limit: number = overlapLimit): Candidate[] {
  const best = candidates.sort((a, b) => b.score - a.score).slice(0, maxCandidates);
  const keptByClass = new Map<number, Candidate[]>();
  const kept: Candidate[] = [];
  for (const candidate of best) {
    let rivals = keptByClass.get(candidate.classIndex);
    if (rivals === undefined) keptByClass.set(candidate.classIndex, (rivals = []));
    if (rivals.some((rival) => overlap(rival.box, candidate.box) > limit)) continue;
    rivals.push(candidate);
    kept.push(candidate);
    if (kept.length === maxObjects) break;
  }
  return kept;
}

/** Intersection over union of two boxes, 0 to 1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  const union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared;
  return union > 0 ? shared / union : 0;
}

/** The candidate, or null when a model gave numbers that are no box or no score. Scores are clipped to 1. */
export function candidateOf(
  classIndex: number,
  score: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): Candidate | null {
  if (!(score >= 0) || score === Infinity || !Number.isFinite(x1 + y1 + x2 + y2) || !(x2 > x1 && y2 > y1)) return null;
  return { classIndex, score: Math.min(score, 1), box: [x1, y1, x2, y2] };
}
