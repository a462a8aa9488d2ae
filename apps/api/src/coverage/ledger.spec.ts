import fc from 'fast-check';
import { ReportedGap } from '#libs/contracts/coverage.js';
import { ledgerOf, sumsOf, type LedgerEntry, type SaidSpan, type Stretch } from './ledger.js';

const END = 60;
const stretch = fc.tuple(fc.integer({ min: -20, max: END + 20 }), fc.integer({ min: 1, max: 40 }));
/** Each of another session: one never contradicts itself. */
const spans = fc
  .array(fc.tuple(stretch, fc.option(fc.constantFrom(...ReportedGap.options), { nil: null }), fc.boolean()), {
    maxLength: 12,
  })
  .map((list) =>
    list.map(([[from, length], gap, isLast], index): SaidSpan => ({
      ...{ from, to: from + length, session: index + 1, gap, isLast },
    })),
  );
/** Stretches apart from each other. */
const periods = fc.uniqueArray(fc.integer({ min: -20, max: END + 20 }), { maxLength: 6 }).map((borders) => {
  const sorted = borders.sort((a, b) => a - b);
  const all: Stretch[] = [];
  for (let i = 0; i + 1 < sorted.length; i += 2) all.push({ from: sorted[i] ?? 0, to: sorted[i + 1] ?? 0 });
  return all;
});
const window = { from: 0, to: END };

/** The same by asking for each millisecond by itself. */
function stateAt(at: number, expected: readonly Stretch[], said: readonly SaidSpan[]): LedgerEntry['gap'] | 'outside' {
  const period = expected.find(({ from, to }) => from <= at && at < to);
  if (period === undefined) return 'outside';
  const here = said.filter(({ from, to }) => from <= at && at < to);
  if (here.some(({ gap }) => gap === null)) return null;
  if (here.length > 0) {
    const newest = Math.max(...here.map(({ session }) => session));
    return here.filter(({ session }) => session === newest)[0]?.gap ?? null;
  }
  const before = said.filter(({ to }) => to <= at && to > period.from);
  if (before.length === 0) return 'unassigned';
  const latest = Math.max(...before.map(({ to }) => to));
  return before.filter(({ to }) => to === latest).some(({ isLast }) => isLast) ? 'restarting' : 'crash';
}

describe('the ledger', () => {
  it('holds every moment that should be watched once, in order, with what was said of it', () => {
    fc.assert(
      fc.property(periods, spans, (expected, said) => {
        const entries = ledgerOf(expected, said, window, END);
        const states: (LedgerEntry['gap'] | 'outside')[] = new Array(END).fill('outside');
        let last = -1;
        let isInOrder = true;
        for (const { from, to, gap } of entries) {
          isInOrder &&= from >= last && to > from;
          states.fill(gap, from, to);
          last = to;
        }
        expect(isInOrder).toBe(true);
        // Of several that fell silent at once either may be asked why.
        const isTie = new Set(said.map(({ to }) => to)).size < said.length;
        const plain = (state: (typeof states)[number]): (typeof states)[number] =>
          isTie && state === 'restarting' ? 'crash' : state;
        expect(states.map(plain)).toEqual(Array.from({ length: END }, (_, at) => plain(stateAt(at, expected, said))));
      }),
      { numRuns: 500 },
    );
  });

  it('is the same however a span was cut and however often it was said', () => {
    fc.assert(
      fc.property(periods, spans, fc.integer({ min: 1, max: 9 }), (expected, said, cut) => {
        const pieces = said.flatMap((span) => {
          const middle = span.from + cut;
          return middle >= span.to
            ? [span, span]
            : [
                { ...span, to: middle },
                { ...span, from: middle },
              ];
        });
        const onlyLastKnown = (list: readonly SaidSpan[]): SaidSpan[] => list.map((one) => ({ ...one, isLast: false }));
        expect(ledgerOf(expected, onlyLastKnown(pieces), window, END)).toEqual(
          ledgerOf(expected, onlyLastKnown(said), window, END),
        );
      }),
    );
  });

  it('adds up: two windows side by side hold what the whole one holds', () => {
    fc.assert(
      fc.property(periods, spans, fc.integer({ min: 1, max: END - 1 }), (expected, said, border) => {
        const sums = (entries: readonly LedgerEntry[]): object =>
          sumsOf(entries.map(({ from, to, gap }) => ({ gap, ms: to - from })));
        const whole = ledgerOf(expected, said, window, END);
        const parts = [
          ...ledgerOf(expected, said, { from: 0, to: border }, END),
          ...ledgerOf(expected, said, { from: border, to: END }, END),
        ];
        const { expectedMs, liveMs, watchedMs } = sums(parts) as {
          expectedMs: number;
          liveMs: number;
          watchedMs: number;
        };
        expect(sums(whole)).toMatchObject({ expectedMs, liveMs, watchedMs });
        expect(expectedMs).toBeGreaterThanOrEqual(liveMs);
        expect(liveMs).toBeGreaterThanOrEqual(watchedMs);
      }),
    );
  });

  it('says nothing of a silence of which news may be on the way, and says the rest', () => {
    const said = [{ from: 10, to: 20, session: 1, gap: null, isLast: false }];
    expect(ledgerOf([window], said, window, 40)).toEqual([
      { from: 0, to: 10, gap: 'unassigned' },
      { from: 10, to: 20, gap: null },
      { from: 20, to: 40, gap: 'crash' },
    ]);
    const later = [...said, { from: 30, to: 35, session: 2, gap: null, isLast: false }];
    expect(ledgerOf([window], later, window, 15).slice(2)).toEqual([
      { from: 20, to: 30, gap: 'crash' },
      { from: 30, to: 35, gap: null },
    ]);
    expect(ledgerOf([window], said, window, 15).at(-1)).toEqual({ from: 10, to: 20, gap: null });
  });

  it('does not count as live what was not on air, or what the stream does not have', () => {
    expect(
      sumsOf([
        { gap: null, ms: 50 },
        { gap: 'offline', ms: 20 },
        { gap: 'absent', ms: 10 },
        { gap: 'crash', ms: 5 },
        { gap: null, ms: 1 },
      ]),
    ).toEqual({
      ...{ expectedMs: 86, liveMs: 56, watchedMs: 51 },
      gaps: [
        { reason: 'offline', ms: 20 },
        { reason: 'absent', ms: 10 },
        { reason: 'crash', ms: 5 },
      ],
    });
  });
});
