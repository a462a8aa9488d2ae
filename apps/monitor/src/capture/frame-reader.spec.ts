import { FrameReader } from './frame-reader.js';
import type { FrameFormat, Size } from './frame.js';

const PAD = 9;
const format = (fit: FrameFormat['fit']): FrameFormat => ({ width: 4, height: 4, fit, pad: PAD });
const wide: Size = { width: 400, height: 200 };
const tall: Size = { width: 200, height: 400 };

/** Pictures whose bytes count from 0, in chunks of 5. */
async function* pictures(sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.concat(sizes.map((size) => Buffer.from(Array.from({ length: size }, (_, at) => at))));
  for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
}
/** The first plane, row by row. */
const green = (frame: Buffer | null): number[][] =>
  [0, 4, 8, 12].map((at) => [...(frame ?? Buffer.alloc(0)).subarray(at, at + 4)]);
const padding = [PAD, PAD, PAD, PAD];

describe('FrameReader', () => {
  it('places wide and tall pictures, with padding where the source leaves room', async () => {
    const reader = new FrameReader(pictures([24, 24, 24]), format('letterbox-center'));
    expect(green(await reader.next(wide))).toEqual([padding, [0, 1, 2, 3], [4, 5, 6, 7], padding]);
    const upright = [0, 2, 4, 6].map((at) => [PAD, at, at + 1, PAD]);
    expect(green(await reader.next(tall))).toEqual(upright);
    expect(green(await reader.next(wide))).toEqual([padding, [0, 1, 2, 3], [4, 5, 6, 7], padding]);
    expect(await reader.next(wide)).toBeNull();
  });

  it('leaves out a picture that is cut off', async () => {
    const reader = new FrameReader(pictures([23]), format('letterbox-top-left'));
    expect(await reader.next(wide)).toBeNull();
  });

  it('uses a frame again that was handed back, and no other', async () => {
    const reader = new FrameReader(pictures([24, 24, 24]), format('letterbox-top-left'));
    const first = await reader.next(wide);
    const second = await reader.next(wide);
    expect(second).not.toBe(first);
    if (first === null) throw new Error('no frame');
    reader.recycle(first);
    reader.recycle(first);
    expect(await reader.next(wide)).toBe(first);
  });

  it('does not use a frame again whose padding lies elsewhere', async () => {
    const reader = new FrameReader(pictures([24, 24, 24, 24]), format('letterbox-top-left'));
    const [before, late] = [await reader.next(wide), await reader.next(wide)];
    if (before === null || late === null) throw new Error('no frame');
    const upright = [0, 2, 4, 6].map((at) => [at, at + 1, PAD, PAD]);
    reader.recycle(before);
    expect(green(await reader.next(tall))).toEqual(upright);
    reader.recycle(late);
    expect(green(await reader.next(tall))).toEqual(upright);
  });
});
