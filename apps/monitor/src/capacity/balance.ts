/** What one monitor needs to know of another to share with it fairly. */
export interface Share {
  streams: number;
  capacity: number;
}

/** So much above its share a monitor may be before it gives something away: streams, and a part of the share. */
const [SLACK_STREAMS, SLACK_PART] = [1.5, 0.15];

/**
 * How many streams a monitor should give away for all to be loaded alike: none while it is within the slack, so that
 * capacities that are measured anew all the time move nothing to and fro. Pure.
 * @param others every other monitor
 */
export function surplusOf(own: Share, others: readonly Share[]): number {
  const capacity = others.reduce((sum, other) => sum + other.capacity, own.capacity);
  const streams = others.reduce((sum, other) => sum + other.streams, own.streams);
  if (others.length === 0 || capacity <= 0) return 0;
  const share = (streams * own.capacity) / capacity;
  const above = own.streams - share;
  const isTaker = (other: Share): boolean => other.streams + 1 <= (streams * other.capacity) / capacity;
  if (above <= Math.max(SLACK_STREAMS, share * SLACK_PART) || !others.some(isTaker)) return 0;
  return Math.floor(above);
}
