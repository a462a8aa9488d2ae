import type { GapReason, ReportedGap } from '#libs/contracts/coverage.js';

/** A stretch of time, epoch ms; `to` is not included. */
export interface Stretch {
  from: number;
  to: number;
}

/** What a session said of one part. */
export interface SaidSpan extends Stretch {
  session: number;
  /** Null where it was watched. */
  gap: ReportedGap | null;
  /** The session ended in order with it. */
  isLast: boolean;
}

/** A stretch that was watched (null), or not, and why. */
export interface LedgerEntry extends Stretch {
  gap: GapReason | null;
}

/** Gaps in which there was nothing to watch: the source was not on air, or has no such part. */
export const NOTHING_THERE: ReadonlySet<GapReason> = new Set<GapReason>(['offline', 'absent']);

/** Milliseconds of one part: `expected` is all of it, `live` what there was to watch, `watched` what was. */
export interface CoverageSums {
  expectedMs: number;
  liveMs: number;
  watchedMs: number;
  gaps: { reason: GapReason; ms: number }[];
}

/**
 * The account of one part: every moment of a window in which it should be watched, once, in order; neighbours differ.
 * Where sessions contradict each other it was watched when one watched it; else the newest is right. What nobody speaks
 * of is a gap, except at the end and after `knownUntil`: of that, news may still be on the way.
 * @param periods in which it should be watched, apart from each other
 * @param spans what was said, in any order, also of the time before the window: it tells why later nobody spoke
 */
export function ledgerOf(
  periods: readonly Stretch[],
  spans: readonly SaidSpan[],
  window: Stretch,
  knownUntil: number,
): LedgerEntry[] {
  const said = [...spans].sort((a, b) => a.from - b.from);
  const silentUntil = Math.max(knownUntil, said.at(-1)?.from ?? knownUntil);
  const entries: LedgerEntry[] = [];
  for (const period of [...periods].sort((a, b) => a.from - b.from)) {
    const part = { from: Math.max(period.from, window.from), to: Math.min(period.to, window.to) };
    if (part.from >= part.to) continue;
    for (const piece of piecesOf(part, said)) {
      const gap = piece.said === undefined ? silenceOf(period, said, piece.from) : piece.said.gap;
      const to = piece.said === undefined ? Math.min(piece.to, silentUntil) : piece.to;
      if (to > piece.from) append(entries, { from: piece.from, to, gap });
    }
  }
  return entries;
}

/** What entries come to. */
export function sumsOf(entries: Iterable<{ gap: GapReason | null; ms: number }>): CoverageSums {
  const gaps = new Map<GapReason, number>();
  let watchedMs = 0;
  for (const { gap, ms } of entries) {
    if (gap === null) watchedMs += ms;
    else gaps.set(gap, (gaps.get(gap) ?? 0) + ms);
  }
  const all = [...gaps].map(([reason, ms]) => ({ reason, ms })).sort((a, b) => b.ms - a.ms);
  const total = (list: typeof all): number => list.reduce((sum, { ms }) => sum + ms, 0);
  const expectedMs = watchedMs + total(all);
  const liveMs = expectedMs - total(all.filter(({ reason }) => NOTHING_THERE.has(reason)));
  return { expectedMs, liveMs, watchedMs, gaps: all };
}

/** A period cut wherever a span begins or ends, each piece with the span that holds there. */
function piecesOf(period: Stretch, said: readonly SaidSpan[]): (Stretch & { said: SaidSpan | undefined })[] {
  const relevant = said.filter(({ from, to }) => to > period.from && from < period.to);
  const inside = relevant.flatMap(({ from, to }) => [from, to]).filter((at) => at > period.from && at < period.to);
  const cuts = [...new Set([period.from, ...inside, period.to])].sort((a, b) => a - b);
  let next = 0;
  let active: SaidSpan[] = [];
  return cuts.slice(0, -1).map((from, index) => {
    for (; next < relevant.length && (relevant[next]?.from ?? Infinity) <= from; next += 1) {
      const span = relevant[next];
      if (span !== undefined) active.push(span);
    }
    active = active.filter(({ to }) => to > from);
    return { from, to: cuts[index + 1] ?? period.to, said: strongest(active) };
  });
}

function strongest(spans: readonly SaidSpan[]): SaidSpan | undefined {
  const watched = spans.find(({ gap }) => gap === null);
  return (
    watched ??
    spans.reduce<SaidSpan | undefined>((a, b) => (a === undefined || b.session > a.session ? b : a), undefined)
  );
}

/** Why nobody spoke from a moment of a period on: the last one who did tells. */
function silenceOf(period: Stretch, said: readonly SaidSpan[], at: number): GapReason {
  let last: SaidSpan | undefined;
  for (const span of said) {
    if (span.from >= at) break;
    if (span.to > period.from && (last === undefined || span.to >= last.to)) last = span;
  }
  if (last === undefined) return 'unassigned';
  return last.isLast ? 'restarting' : 'crash';
}

/** Puts an entry behind the others; one that goes on with the last is one with it. */
export function append(entries: LedgerEntry[], entry: LedgerEntry): void {
  const last = entries.at(-1);
  if (last?.to === entry.from && last.gap === entry.gap) last.to = entry.to;
  else entries.push(entry);
}
