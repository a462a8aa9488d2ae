/** Who wants frames inspected. */
export interface Claimant {
  id: string;
  /** 1 (most urgent) to 10. */
  priority: number;
  /** Frames per second that it brings. */
  wanted: number;
  /** Whether something was found on it lately. */
  isHot: boolean;
}

/** Frames per second that every stream keeps, unless even that is more than there is. */
export const FLOOR_PER_SECOND = 0.2;
/** How much more a stream earns on which something was found lately. */
const HOT = 3;

/**
 * Shares out inferences: first a floor for each, then the rest by weight (priority, and whether something was found
 * lately), nobody more than it wants. Pure. The sum never exceeds the budget.
 * @param perSecond the budget
 * @returns frames per second, by id
 */
export function allocate(perSecond: number, claimants: readonly Claimant[]): Map<string, number> {
  const floors = claimants.map(({ wanted }) => Math.min(wanted, FLOOR_PER_SECOND));
  const sum = floors.reduce((total, floor) => total + floor, 0);
  const scale = sum > perSecond ? perSecond / sum : 1;
  const rates = new Map(claimants.map(({ id }, index) => [id, (floors[index] ?? 0) * scale]));
  let left = Math.max(0, perSecond - sum);
  let open = scale < 1 ? [] : claimants.filter(({ id, wanted }) => wanted > (rates.get(id) ?? 0));
  // Whoever has enough leaves the round, so at least one leaves each time but the last.
  while (open.length > 0 && left > 1e-9) {
    const weights = open.reduce((total, claimant) => total + weightOf(claimant), 0);
    const each = left / weights;
    const isFilled = (claimant: Claimant): boolean =>
      claimant.wanted - (rates.get(claimant.id) ?? 0) <= each * weightOf(claimant);
    const filled = open.filter(isFilled);
    for (const claimant of filled.length > 0 ? filled : open) {
      const before = rates.get(claimant.id) ?? 0;
      const more = filled.length > 0 ? claimant.wanted - before : each * weightOf(claimant);
      rates.set(claimant.id, before + more);
      left -= more;
    }
    if (filled.length === 0) break;
    open = open.filter((claimant) => !filled.includes(claimant));
  }
  return rates;
}

function weightOf({ priority, isHot }: Claimant): number {
  return (11 - priority) * (isHot ? HOT : 1);
}
