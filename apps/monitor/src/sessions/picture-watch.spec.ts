import type { SessionMemory } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import type { CapturedFrame } from '../capture/frame.js';
import { InferenceBudget } from '../inference/inference-budget.js';
import { PictureWatch } from './picture-watch.js';
import { KeepingSink, LightDetector, lightRule, STREAM_ID } from './session.fixture.js';
import { SessionFigures } from './session-figures.js';
import { SessionStatus } from './session-status.js';

const never = new AbortController().signal;

describe('PictureWatch of a live stream', () => {
  let now: number;
  let detector: LightDetector;
  let sink: KeepingSink;
  let figures: SessionFigures;

  function open(perSecond: number | null, streams = 1): PictureWatch[] {
    const budget = new InferenceBudget(
      () => perSecond,
      () => now,
    );
    const clock = (): number => now;
    const logger = createLogger('picture', 'silent');
    [detector, sink, figures] = [new LightDetector(), new KeepingSink(), new SessionFigures(clock)];
    const status = new SessionStatus(() => undefined, clock);
    const shared = { streamId: STREAM_ID, session: 1, detector, figures, sink, status, logger };
    const rules = { rules: () => [lightRule], zones: () => [] };
    return Array.from({ length: streams }, () => new PictureWatch({ ...shared, ...rules, budget: budget.open(5, 1) }));
  }

  /** A second of stream with a picture of one level. */
  async function show(watch: PictureWatch | undefined, level: number, isLive = true): Promise<void> {
    const pixels = Buffer.alloc(32 * 32 * 3, level);
    const source = { width: 32, height: 32 };
    const frame: CapturedFrame = { index: 0, ptsMs: now, receivedAt: now, source, pixels, jpeg: Buffer.alloc(0) };
    await watch?.inspect({ frame, streamTimeMs: now, wallTimeMs: now }, isLive, never);
  }

  beforeEach(() => {
    now = 0;
  });

  it('keeps an event open while what it is about stands still, with hardly an inspection', async () => {
    const [watch] = open(null);
    for (const level of [16, ...Array.from({ length: 60 }, () => 235), 16, 16, 16, 16, 16]) {
      now += 1_000;
      await show(watch, level);
    }
    expect(sink.seen).toHaveLength(1);
    expect(sink.seenEnds).toMatchObject([{ startedStreamMs: 2_000, endedStreamMs: 61_000, frames: 60 }]);
    expect(detector.inspected).toBeLessThan(22);
    expect(figures.report()).toMatchObject({ framesInspected: 66, framesShed: 0 });
    expect(figures.still + detector.inspected).toBe(66);
  });

  it('inspects whatever is in doubt: one glimpse is not confirmed by the same picture again', async () => {
    const [watch] = open(null);
    for (const level of [16, 235, 235]) {
      now += 1_000;
      await show(watch, level);
    }
    expect(detector.inspected).toBe(3);
    expect(sink.seen).toHaveLength(1);
  });

  it('inspects every frame of a file', async () => {
    const [watch] = open(0.1);
    for (let count = 0; count < 10; count += 1) {
      now += 1_000;
      await show(watch, 100, false);
    }
    expect(detector.inspected).toBe(10);
  });

  it('sheds beyond the budget and counts it; a frame that was shed ends nothing', async () => {
    const watches = open(2, 8);
    // Levels that change all the time, all of them bright: motion without an end.
    for (let second = 0; second < 60; second += 1) {
      for (const watch of watches) {
        now += 125;
        await show(watch, 130 + ((second * 37) % 120));
      }
    }
    expect(detector.inspected).toBeLessThanOrEqual(2 * 60 + 2.5 * 8);
    expect(figures.shed + detector.inspected + figures.still).toBe(480);
    expect(figures.shed).toBeGreaterThan(300);
    expect(sink.seen).toHaveLength(8);
    expect(sink.seenEnds).toHaveLength(0);
  });

  describe('that is taken over', () => {
    const rule = { ...lightRule, cooldownMs: 60_000 };

    /** Sees levels, one a second, as one session of the stream. @returns what it leaves */
    async function session(
      number: number,
      levels: readonly number[],
      before: SessionMemory['rules'] | null,
    ): Promise<SessionMemory['rules']> {
      const clock = (): number => now;
      const logger = createLogger('picture', 'silent');
      const status = new SessionStatus(() => undefined, clock);
      const memory = (): Promise<SessionMemory | null> =>
        Promise.resolve(before === null ? null : { v: 1, rules: before });
      const watch = new PictureWatch({
        ...{ streamId: STREAM_ID, session: number, detector, figures, sink, status, logger, memory },
        ...{ rules: () => [rule], zones: () => [] },
      });
      const startedAt = now;
      for (const level of levels) {
        now += 1_000;
        const pixels = Buffer.alloc(32 * 32 * 3, level);
        const source = { width: 32, height: 32 };
        const frame: CapturedFrame = { index: 0, ptsMs: now, receivedAt: now, source, pixels, jpeg: Buffer.alloc(0) };
        await watch.inspect({ frame, streamTimeMs: now - startedAt, wallTimeMs: now }, true, never);
      }
      await watch.end();
      return watch.memory;
    }
    const [dark, bright] = [16, 235];
    const of = (level: number, count: number): number[] => Array.from({ length: count }, () => level);

    beforeEach(() => {
      open(null);
      now = 1_000_000;
    });

    it('reports what stays in the picture once, and its end as the next session sees it', async () => {
      const left = await session(1, [dark, ...of(bright, 5)], null);
      await session(2, [...of(bright, 5), ...of(dark, 5)], left);
      expect(sink.seen).toHaveLength(1);
      expect(sink.seenEnds.map(({ eventId }) => eventId)).toEqual([sink.seen[0]?.eventId, sink.seen[0]?.eventId]);
      expect(sink.seenEnds.map(({ endedAt }) => endedAt)).toEqual([1_006_000, 1_011_000]);
    });

    it('keeps a cooldown that had begun, and no longer than it lasts', async () => {
      const left = await session(1, [...of(bright, 3), ...of(dark, 5)], null);
      const seen = [...of(dark, 5), ...of(bright, 3), ...of(dark, 5)];
      await session(2, seen, left);
      expect(sink.seen).toHaveLength(1);
      expect(figures.suppressed).toBe(1);
      now += 60_000;
      await session(3, seen, left);
      expect(sink.seen).toHaveLength(2);
    });

    it('reports anew what comes later, and everything when nothing was left', async () => {
      const left = (await session(1, of(bright, 5), null)).map((known) => ({ ...known, cooldownUntil: 0 }));
      await session(2, [...of(dark, 8), ...of(bright, 3)], left);
      await session(3, of(bright, 3), null);
      expect(new Set(sink.seen.map(({ eventId }) => eventId)).size).toBe(3);
    });
  });
});
