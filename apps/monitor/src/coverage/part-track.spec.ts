import fc from 'fast-check';
import { CoverageSpan, hourAfter } from '#libs/contracts/coverage.js';
import { PartTrack, PROOF_MS, type Reading } from './part-track.js';

const START = 1_767_225_600_000 - 30_000;
const watched: Reading = { gap: null, isProven: true, unless: 'network' };
const unproven: Reading = { gap: null, isProven: false, unless: 'network' };
const starting: Reading = { gap: 'starting', isProven: false, unless: 'starting' };
const offline: Reading = { gap: 'offline', isProven: false, unless: 'offline' };

/** What was told, relative to the start; the newest word of each span. */
function told(track: PartTrack): [string | null, number, number][] {
  return track.take().map(({ gap, startedAt, endedAt }) => [gap, startedAt - START, endedAt - START]);
}

describe('the time of a part', () => {
  it('has no holes and no overlaps, whatever comes, and every span keeps to its hour and the contract', () => {
    const steps = fc.array(
      fc.tuple(
        fc.integer({ min: -5_000, max: 4_000_000 }),
        fc.constantFrom(watched, unproven, starting, offline),
        fc.boolean(),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const track = new PartTrack('video', START);
        const spans = new Map<number, CoverageSpan>();
        const keep = (): void => {
          for (const span of track.take()) spans.set(span.startedAt, CoverageSpan.parse(span));
        };
        let now = START;
        for (const [step, reading, takes] of list) {
          now += step;
          track.read(now, reading);
          if (takes) keep();
        }
        keep();
        let end = START;
        for (const span of [...spans.values()].sort((a, b) => a.startedAt - b.startedAt)) {
          expect(span.startedAt).toBe(end);
          expect(span.endedAt).toBeLessThanOrEqual(hourAfter(span.startedAt));
          end = span.endedAt;
        }
      }),
    );
  });

  it('is watched up to the last proof alone: a picture that stands still was not watched from then on', () => {
    const track = new PartTrack('video', START);
    track.read(START + 1_000, starting);
    for (let at = 2_000; at <= 10_000; at += 1_000) track.read(START + at, watched);
    for (let at = 11_000; at <= 10_000 + PROOF_MS; at += 1_000) track.read(START + at, unproven);
    expect(told(track)).toEqual([
      ['starting', 0, 1_000],
      [null, 1_000, 10_000],
    ]);
    const after = 10_000 + PROOF_MS + 1_000;
    track.read(START + after, unproven);
    track.read(START + after + 1_000, unproven);
    // The hour ends after 30 s.
    expect(told(track)).toEqual([
      ['network', 10_000, 30_000],
      ['network', 30_000, after + 1_000],
    ]);
  });

  it('is watched all through a pause between two segments', () => {
    const track = new PartTrack('video', START);
    track.read(START + 1_000, watched);
    for (let at = 2_000; at < 9_000; at += 1_000) track.read(START + at, unproven);
    track.read(START + 9_000, watched);
    expect(told(track)).toEqual([[null, 0, 9_000]]);
  });

  it('was not watched while the process stood still, though all is well afterwards', () => {
    const track = new PartTrack('video', START);
    track.read(START + 1_000, watched);
    told(track);
    track.read(START + 1_000 + PROOF_MS + 1, watched);
    track.read(START + 1_000 + PROOF_MS + 1_000, watched);
    expect(told(track)).toEqual([
      ['network', 1_000, 1_000 + PROOF_MS + 1],
      [null, 1_000 + PROOF_MS + 1, 1_000 + PROOF_MS + 1_000],
    ]);
  });

  it('tells a span that lasts again, with the same beginning and a later end', () => {
    const track = new PartTrack('chat', START);
    track.read(START + 1_000, offline);
    expect(told(track)).toEqual([['offline', 0, 1_000]]);
    expect(told(track)).toEqual([]);
    track.read(START + 2_000, offline);
    expect(told(track)).toEqual([['offline', 0, 2_000]]);
  });
});
