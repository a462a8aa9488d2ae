import fc from 'fast-check';
import { surplusOf, type Share } from './balance.js';

/** Monitors that give one away at a time to the one that is loaded least. @returns how many moves that took */
function settle(shares: Share[], most: number): number {
  for (let moves = 0; moves <= most; moves += 1) {
    const giver = shares.find(
      (share) =>
        surplusOf(
          share,
          shares.filter((other) => other !== share),
        ) > 0,
    );
    if (giver === undefined) return moves;
    const takers = shares.filter((share) => share !== giver);
    const taker = takers.reduce((least, share) =>
      (share.streams + 1) / share.capacity < (least.streams + 1) / least.capacity ? share : least,
    );
    giver.streams -= 1;
    taker.streams += 1;
  }
  return Infinity;
}

describe('the balance between monitors', () => {
  it('gives a new monitor its share', () => {
    const shares = [
      { streams: 30, capacity: 100 },
      { streams: 30, capacity: 100 },
      { streams: 0, capacity: 100 },
    ];
    settle(shares, 100);
    expect(shares[2]?.streams).toBeGreaterThanOrEqual(14);
  });

  it('moves nothing while all is within the slack, nor with nobody to take it', () => {
    expect(surplusOf({ streams: 11, capacity: 50 }, [{ streams: 10, capacity: 50 }])).toBe(0);
    expect(surplusOf({ streams: 3, capacity: 50 }, [{ streams: 1, capacity: 50 }])).toBe(0);
    expect(surplusOf({ streams: 50, capacity: 50 }, [])).toBe(0);
    expect(surplusOf({ streams: 40, capacity: 50 }, [{ streams: 1, capacity: 1 }])).toBe(0);
  });

  it('comes to rest from anywhere, and stays there when capacities are measured a little differently', () => {
    const share = fc.record({ streams: fc.integer({ min: 0, max: 60 }), capacity: fc.integer({ min: 5, max: 100 }) });
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 6 }), fc.constantFrom(0.97, 1.03), (shares, drift) => {
        const total = shares.reduce((sum, { streams }) => sum + streams, 0);
        expect(settle(shares, total)).toBeLessThanOrEqual(total);
        const [first] = shares;
        if (first !== undefined) first.capacity *= drift;
        expect(settle(shares, 20)).toBeLessThanOrEqual(Math.ceil(total * 0.05) + 1);
      }),
    );
  });
});
