import { RecentSound } from './recent-sound.js';

/** Samples that count on from `first`. */
const counting = (first: number, length: number): Int16Array =>
  Int16Array.from({ length }, (_, index) => first + index);

describe('RecentSound', () => {
  it('holds nothing before the first sound', () => {
    expect(new RecentSound().take()).toBeNull();
  });

  it('gives the newest samples in their order, whatever the pieces that they came in', () => {
    // 10 ms are 160 samples.
    const recent = new RecentSound(10);
    const all: number[] = [];
    for (const [piece, length] of [70, 70, 70, 161, 159, 3, 400, 160, 1].entries()) {
      const samples = counting(piece * 1_000, length);
      recent.add({ startMs: all.length / 16, samples });
      all.push(...samples);
      expect([...(recent.take() ?? [])]).toEqual(all.slice(-160));
    }
  });

  it('begins anew after a gap', () => {
    const recent = new RecentSound(1_000);
    recent.add({ startMs: 0, samples: counting(0, 1_600) });
    recent.add({ startMs: 100, samples: counting(2_000, 1_600) });
    expect(recent.take()).toHaveLength(3_200);
    recent.add({ startMs: 5_000, samples: counting(9_000, 16) });
    expect([...(recent.take() ?? [])]).toEqual([...counting(9_000, 16)]);
  });

  it('gives a copy that later sound does not change', () => {
    const recent = new RecentSound(10);
    recent.add({ startMs: 0, samples: counting(0, 160) });
    const taken = recent.take();
    recent.add({ startMs: 10, samples: counting(500, 160) });
    expect(taken?.[0]).toBe(0);
  });
});
