import fc from 'fast-check';
import { AdvertFilter } from './advert-filter.js';
import { parseMediaPlaylist } from './media-playlist.js';

const BASE = 'https://edge.test/v1/playlist/a.m3u8';
const START = Date.UTC(2026, 0, 1);

/** A load of a live playlist of 2-second segments; `adverts` are the numbers of those that are adverts. */
function load(from: number, to: number, adverts: readonly number[] = [], marks: 'range' | 'title' = 'range'): string {
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${from}`];
  const at = (index: number): string => new Date(START + index * 2_000).toISOString();
  if (marks === 'range' && adverts.length > 0) {
    const [first = 0] = adverts;
    lines.push(
      `#EXT-X-DATERANGE:ID="x-${first}",CLASS="twitch-stitched-ad",START-DATE="${at(first)}",DURATION=${adverts.length * 2}`,
    );
  }
  for (let index = from; index < to; index += 1) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${at(index)}`);
    lines.push(`#EXTINF:2.000,${marks === 'title' && adverts.includes(index) ? 'Amazon|123' : 'live'}`, `${index}.ts`);
  }
  return lines.join('\n');
}

function numbersOf(text: string | null): number[] {
  return [...(text ?? '').matchAll(/\/(\d+)\.ts$/gm)].map(([, number]) => Number(number));
}

describe('AdvertFilter', () => {
  let now = 0;
  beforeEach(() => {
    now = 1_000_000;
  });
  const filter = (): AdvertFilter => new AdvertFilter(() => now);

  it('passes a stream without adverts on, with absolute addresses', () => {
    const it = filter();
    expect(it.take(load(7, 10), BASE)).toBe(true);
    expect(it.render()?.split('\n')).toEqual([
      ...['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2'],
      ...['#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-DISCONTINUITY-SEQUENCE:0'],
      ...[7, 8, 9].flatMap((index) => [
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(START + index * 2_000).toISOString()}`,
        '#EXTINF:2.000,',
        `https://edge.test/v1/playlist/${index}.ts`,
      ]),
      '',
    ]);
  });

  it.each(['range', 'title'] as const)('cuts adverts told by %s out and marks the cut', (marks) => {
    const it = filter();
    it.take(load(0, 6, [2, 3, 4], marks), BASE);
    expect(numbersOf(it.render())).toEqual([0, 1, 5]);
    expect(it.render()).toMatch(/1\.ts\n#EXT-X-DISCONTINUITY\n(?:#.*\n)*.*\/5\.ts/);
    expect(it.dropped).toBe(3);
  });

  it('tells by the id of the range too', () => {
    const it = filter();
    it.take(load(0, 4, [1, 2]).replace('ID="x-1",CLASS="twitch-stitched-ad"', 'ID="stitched-ad-1-9"'), BASE);
    expect(numbersOf(it.render())).toEqual([0, 3]);
  });

  it('leaves ranges of another kind alone', () => {
    const it = filter();
    it.take(load(0, 4, [1, 2]).replace('twitch-stitched-ad', 'twitch-session'), BASE);
    expect(numbersOf(it.render())).toEqual([0, 1, 2, 3]);
  });

  it('remembers a range that has left the playlist before its last segment', () => {
    const it = filter();
    it.take(load(0, 3, [2, 3]), BASE);
    it.take(load(1, 5), BASE);
    expect(numbersOf(it.render())).toEqual([0, 1, 4]);
  });

  it('keeps what it has while nothing but adverts comes, and says so', () => {
    const it = filter();
    it.take(load(0, 3), BASE);
    expect(it.intermission()).toBe(false);
    it.take(load(5, 8, [3, 4, 5, 6, 7, 8]), BASE);
    expect(numbersOf(it.render())).toEqual([0, 1, 2]);
    expect(it.intermission()).toBe(true);
    it.take(load(8, 10, [3, 4, 5, 6, 7, 8]), BASE);
    expect(it.intermission()).toBe(false);
    expect(numbersOf(it.render())).toEqual([0, 1, 2, 9]);
  });

  it('has nothing to show while adverts come first', () => {
    const it = filter();
    it.take(load(0, 3, [0, 1, 2]), BASE);
    expect(it.render()).toBeNull();
    it.take(load(0, 4, [0, 1, 2]), BASE);
    expect(numbersOf(it.render())).toEqual([3]);
    expect(it.render()).not.toContain('#EXT-X-DISCONTINUITY\n');
  });

  it('is no excuse for a source that has stalled, nor for ever', () => {
    const stalled = filter();
    stalled.take(load(0, 3, [2, 3]), BASE);
    now += 29_000;
    expect(stalled.intermission()).toBe(true);
    now += 1_000;
    expect(stalled.intermission()).toBe(false);
    const endless = filter();
    const adverts = Array.from({ length: 1_000 }, (_, index) => index);
    for (let index = 0; index < 301; index += 1) {
      endless.take(load(index, index + 3, adverts, 'title'), BASE);
      now += 2_000;
      if (index < 298) expect(endless.intermission()).toBe(true);
    }
    expect(endless.intermission()).toBe(false);
  });

  it('goes on when the source begins its numbers anew, and ignores a copy that is a little late', () => {
    const it = filter();
    it.take(load(1_000, 1_003), BASE);
    it.take(load(999, 1_002), BASE);
    expect(numbersOf(it.render())).toEqual([1_000, 1_001, 1_002]);
    it.take(load(0, 2), BASE);
    expect(numbersOf(it.render())).toEqual([1_000, 1_001, 1_002, 0, 1]);
  });

  it('keeps keys, maps and byte ranges with their segments', () => {
    const it = filter();
    const text = [
      ...['#EXTM3U', '#EXT-X-TARGETDURATION:2', '#EXT-X-MAP:URI="init.mp4"'],
      ...['#EXT-X-KEY:METHOD=AES-128,URI="key"', '#EXTINF:2,', '#EXT-X-BYTERANGE:10@0', 'a.mp4'],
      ...['#EXT-X-KEY:METHOD=NONE', '#EXTINF:2,', 'b.mp4', '#EXT-X-ENDLIST'],
    ].join('\r\n');
    it.take(text, BASE);
    const rendered = it.render() ?? '';
    expect(rendered).toContain('#EXT-X-MAP:URI="https://edge.test/v1/playlist/init.mp4"');
    expect(rendered).toContain('#EXT-X-KEY:METHOD=AES-128,URI="https://edge.test/v1/playlist/key"');
    expect(rendered).toContain('#EXT-X-BYTERANGE:10@0\nhttps://edge.test/v1/playlist/a.mp4');
    expect(rendered).toMatch(/METHOD=NONE\n#EXTINF.*\n.*b\.mp4\n#EXT-X-ENDLIST\n$/);
  });

  it.each(['', '<html>', '#EXTM3U', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8'])('refuses %p', (text) => {
    expect(filter().take(text, BASE)).toBe(false);
  });

  it('never goes back, never lets an advert through and never loses a segment, whatever is aired and asked for', () => {
    const seconds = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    const steps = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(seconds, steps, (adverts, strides) => {
        const it = filter();
        const marked = adverts.flatMap((advert, index) => (advert ? [index] : []));
        const seen: number[] = [];
        let [end, sequence] = [4, 0];
        for (const stride of strides) {
          end = Math.min(adverts.length, end + stride);
          it.take(load(Math.max(0, end - 4), end, marked, 'title'), BASE);
          const text = it.render();
          if (text === null) continue;
          const first = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
          expect(first).toBeGreaterThanOrEqual(sequence);
          sequence = first;
          numbersOf(text).forEach((number, offset) => {
            if (first + offset < seen.length) expect(number).toBe(seen[first + offset]);
            else seen.push(number);
          });
        }
        const from = Math.max(0, Math.min(adverts.length, 4 + (strides[0] ?? 0)) - 4);
        const aired = adverts.flatMap((advert, index) => (advert || index < from || index >= end ? [] : [index]));
        expect(seen).toEqual(aired);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseMediaPlaylist', () => {
  it('takes any text at all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...load(0, 3, [1]).split('\n'), '#EXTINF:', '#EXT-X-KEY:URI="', 'x:')),
        (lines) => {
          parseMediaPlaylist(['#EXTM3U', ...lines].join('\n'), BASE);
        },
      ),
    );
  });

  it('is done at once with a long line', () => {
    const line = `#EXT-X-DATERANGE:${'A="'.repeat(300_000)}`;
    expect(parseMediaPlaylist(`#EXTM3U\n${line}`, BASE)?.ranges).toEqual([]);
  });
});
