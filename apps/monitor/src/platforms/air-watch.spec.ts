import { AirWatch } from './air-watch.js';

describe('AirWatch', () => {
  let now = 0;
  beforeEach(() => {
    now = 1_000_000;
  });
  const watch = (): AirWatch => new AirWatch(() => now);
  const after = (ms: number, it: AirWatch, onAir: boolean): ReturnType<AirWatch['probe']> => {
    now += ms;
    return it.probe(onAir);
  };

  it('tells online at once, and once', () => {
    const it = watch();
    expect([it.probe(true), it.probe(true), it.state]).toEqual(['online', null, 'online']);
  });

  it('tells offline after three misses over half a minute, and once', () => {
    const it = watch();
    it.probe(true);
    expect([after(0, it, false), after(20_000, it, false), after(20_000, it, false)]).toEqual([null, null, 'offline']);
    expect([after(20_000, it, false), it.state]).toEqual([null, 'offline']);
    expect(it.probe(true)).toBe('online');
  });

  it('takes neither many quick misses nor two slow ones for the end', () => {
    const it = watch();
    it.probe(true);
    expect(Array.from({ length: 20 }, () => after(1_000, it, false))).toEqual(Array(20).fill(null));
    const slow = watch();
    slow.probe(true);
    expect([after(0, slow, false), after(600_000, slow, false)]).toEqual([null, null]);
  });

  it('forgets misses that a blip explains', () => {
    const it = watch();
    it.probe(true);
    after(0, it, false);
    after(20_000, it, false);
    expect(after(5_000, it, true)).toBeNull();
    expect([after(20_000, it, false), after(20_000, it, false)]).toEqual([null, null]);
  });

  it('tells of a stream that was never on air too', () => {
    const it = watch();
    expect([after(0, it, false), after(15_000, it, false), after(15_000, it, false)]).toEqual([null, null, 'offline']);
  });
});
