import { TokenBucket } from './token-bucket.js';

describe('a token bucket', () => {
  it('gives its capacity at once, then what comes back with time, and never more than its capacity', () => {
    let now = 0;
    const bucket = new TokenBucket({ capacity: 3, perSecond: 2 }, () => now);
    const taken = (): number => {
      let count = 0;
      while (bucket.take()) count += 1;
      return count;
    };
    expect(taken()).toBe(3);
    now += 400;
    expect(taken()).toBe(0);
    now += 100;
    expect(taken()).toBe(1);
    now += 60_000;
    expect(taken()).toBe(3);
  });

  it('gives nothing for a clock that was set back', () => {
    let now = 10_000;
    const bucket = new TokenBucket({ capacity: 1, perSecond: 1 }, () => now);
    expect(bucket.take()).toBe(true);
    now = 0;
    expect(bucket.take()).toBe(false);
  });
});
