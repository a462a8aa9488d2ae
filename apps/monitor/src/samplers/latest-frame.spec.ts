import { setImmediate as turn } from 'node:timers/promises';
import type { CapturedFrame } from '../capture/frame.js';
import { LatestFrame } from './latest-frame.js';

const frame = (index: number): CapturedFrame => ({
  ...{ index, ptsMs: index * 1_000, receivedAt: 0, source: { width: 1, height: 1 } },
  ...{ pixels: Buffer.alloc(3), jpeg: Buffer.alloc(1) },
});

async function* frames(count: number, failure?: Error, onEnd?: () => void): AsyncGenerator<CapturedFrame> {
  try {
    for (let index = 0; index < count; index += 1) yield frame(index);
    if (failure !== undefined) throw failure;
  } finally {
    onEnd?.();
  }
}

async function indexes(
  source: LatestFrame<CapturedFrame>,
  each: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const seen: number[] = [];
  for await (const { index } of source) {
    seen.push(index);
    await each(index);
  }
  return seen;
}

describe('LatestFrame', () => {
  it('gives a slow reader the newest frame and counts the rest as dropped', async () => {
    const latest = new LatestFrame(frames(10));
    const seen = await indexes(latest, async () => {
      for (let round = 0; round < 50; round += 1) await turn();
    });
    expect(seen.at(-1)).toBe(9);
    expect(seen.length + latest.dropped).toBe(10);
    expect(latest.dropped).toBeGreaterThan(5);
  });

  it('hands on the failure of its source after the frames before it', async () => {
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { index } of new LatestFrame(frames(1, new Error('source failed')))) seen.push(index);
    };
    await expect(read()).rejects.toThrow('source failed');
    expect(seen).toEqual([0]);
  });

  it('ends its source when the reader breaks off', async () => {
    let ended = false;
    for await (const { index } of new LatestFrame(frames(1_000, undefined, () => (ended = true))))
      if (index >= 0) break;
    expect(ended).toBe(true);
  });
});
