import { FRAME_MS, FRAME_SAMPLES } from './pcm.js';
import { frames } from './sound.fixture.js';
import { UtteranceCutter, type Utterance } from './utterance-cutter.js';

/** Cuts a stream whose probabilities are given as runs of [frames, probability]. */
function cut(runs: readonly (readonly [number, number])[], cutter = new UtteranceCutter()): Utterance[] {
  const probabilities = runs.flatMap(([count, probability]) => Array.from({ length: count }, () => probability));
  const heard = frames(probabilities.length);
  return [...heard.flatMap((frame, index) => cutter.push(frame, probabilities[index] ?? 0)), ...cutter.flush()];
}

describe('UtteranceCutter', () => {
  it('keeps 300 ms before and 200 ms after what was said', () => {
    const [utterance, ...others] = cut([
      [100, 0.1],
      [50, 0.9],
      [40, 0.1],
    ]);
    expect(others).toEqual([]);
    expect(utterance).toMatchObject({
      ...{ startMs: 90 * FRAME_MS, endMs: 157 * FRAME_MS },
      voiced: { startMs: 100 * FRAME_MS, endMs: 150 * FRAME_MS },
    });
    expect(utterance?.vadMean).toBeCloseTo(0.9);
    expect(utterance?.pcm.length).toBe(67 * FRAME_SAMPLES);
  });

  it('bridges pauses below half a second, and goes on above the lower threshold', () => {
    expect(
      cut([
        [20, 0.9],
        [15, 0.1],
        [20, 0.4],
        [15, 0.1],
        [20, 0.9],
        [30, 0],
      ]),
    ).toHaveLength(1);
  });

  it('does not begin below the upper threshold, nor for less than 250 ms', () => {
    const cutter = new UtteranceCutter();
    expect(
      cut(
        [
          [50, 0.49],
          [7, 0.9],
          [50, 0.1],
        ],
        cutter,
      ),
    ).toEqual([]);
    expect(cutter.tooShort).toBe(1);
  });

  it('never repeats sound: the lead-in of the next begins after the end of the last', () => {
    const [first, second] = cut([
      [20, 0.9],
      [16, 0.1],
      [20, 0.9],
      [20, 0.1],
    ]);
    expect(second?.startMs).toBeGreaterThanOrEqual(first?.endMs ?? Infinity);
  });

  it('cuts speech of more than 15 s at its last silence of at least 98 ms, losing nothing', () => {
    const parts = cut([
      [200, 0.9],
      [4, 0.1],
      [150, 0.9],
      [3, 0.1],
      [300, 0.9],
      [20, 0.1],
    ]);
    expect(parts.map(({ endMs }) => endMs / FRAME_MS).slice(0, 1)).toEqual([202]);
    parts.forEach(({ startMs, endMs, pcm }, index) => {
      expect(endMs - startMs).toBeLessThanOrEqual(15_000);
      expect(pcm.length).toBe(((endMs - startMs) / FRAME_MS) * FRAME_SAMPLES);
      if (index > 0) expect(startMs).toBe(parts[index - 1]?.endMs);
    });
    expect(parts.at(-1)?.voiced.endMs).toBe(657 * FRAME_MS);
  });

  it('ends an utterance where stream time has a gap', () => {
    const cutter = new UtteranceCutter();
    for (const frame of frames(20)) cutter.push(frame, 0.9);
    const [later] = frames(1, 60_000);
    if (later === undefined) throw new Error('No frame.');
    expect(cutter.push(later, 0.9)).toMatchObject([{ startMs: 0, endMs: 20 * FRAME_MS }]);
  });
});
