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
});
