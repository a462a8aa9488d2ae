/** What is known of an agent when one is to be chosen. */
export interface Candidate {
  agentId: string;
  online: boolean;
  /** Streams it looks after. */
  active: number;
  /** Streams it may look after; null for any number. */
  capacity: number | null;
}

/**
 * Chooses who looks after one more stream: an agent within its capacity, online before offline, then who has least to
 * do. Equal ones are ordered by id, so that the choice can be explained.
 * @returns null when nobody has room
 */
export function chooseAgent(candidates: readonly Candidate[]): Candidate | null {
  const free = candidates.filter(({ active, capacity }) => capacity === null || active < capacity);
  const [best = null] = free.sort(
    (a, b) => Number(b.online) - Number(a.online) || a.active - b.active || (a.agentId < b.agentId ? -1 : 1),
  );
  return best;
}
