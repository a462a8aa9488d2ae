import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('gives the burst at once and then the rate', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false]);
    expect(bucket.take(1, 99)).toBe(false);
    expect(bucket.take(1, 200)).toBe(true);
  });

  it('never holds more than the burst', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 1e9))).toEqual([true, true, true, false]);
  });

  it('says how long a loan takes to pay back', () => {
    const bucket = new TokenBucket(1_000, 500, 0);
    expect(bucket.borrow(500, 0)).toBe(0);
    expect(bucket.borrow(2_000, 0)).toBe(2_000);
    expect(bucket.borrow(1_000, 1_000)).toBe(2_000);
  });

  it('is not upset by a clock that steps back', () => {
    const bucket = new TokenBucket(10, 1, 10_000);
    expect(bucket.take(1, 5_000)).toBe(true);
    expect(bucket.take(1, 5_000)).toBe(false);
    expect(bucket.take(1, 5_100)).toBe(true);
  });
});
