import type { SoundChunk } from '../capture/sound-chunks.js';
import type { SoundEvent } from '../detectors/sound/sound-rules.js';
import { bytesOf } from './pcm.js';
import { made } from './sound.fixture.js';
import type { Voice } from './stream-ear.js';
import { StreamListener } from './stream-listener.js';
import type { Utterance } from './utterance-cutter.js';

/** Takes whatever is loud for speech. */
const voice: Voice = {
  hear: (_, samples) =>
    Promise.resolve(
      Float32Array.from({ length: samples.length / 512 }, (_, frame) =>
        Math.abs(samples[frame * 512 + 9] ?? 0) > 0.01 ? 1 : 0,
      ),
    ),
  forget: () => undefined,
};
const events: SoundEvent[] = [];
const utterances: Utterance[] = [];
const listen = (): StreamListener =>
  new StreamListener({
    ...{ streamId: 'a', voice },
    onSound: (event) => events.push(event),
    onUtterance: (utterance) => utterances.push(utterance),
  });
beforeEach(() => {
  events.length = 0;
  utterances.length = 0;
});

/** Tenths of a second of sound; `before` runs ahead of each. */
async function* chunks(seconds: number, loud: (at: number) => boolean, fromPts: number, before = (_: number) => {}) {
  for (const at of Array.from({ length: seconds * 10 }, (_, index) => index / 10)) {
    before(at);
    const bytes = bytesOf(made(0.1, (t) => (loud(at) ? 0.3 * Math.sin(2 * Math.PI * 313 * t + 1) : 0)));
    yield { ptsMs: fromPts + Math.round(at * 1_000), bytes } satisfies SoundChunk;
  }
}

describe('StreamListener', () => {
  it('places sound in stream time by the pictures, and goes on after a restart', async () => {
    const listener = listen();
    const speech = (at: number): boolean => at >= 1 && at < 2;
    await listener.listen(chunks(4, speech, 90_000, () => listener.sync(91_000, 6_000)));
    await listener.listen(chunks(4, speech, 10, () => listener.sync(10, 20_000)));
    expect(utterances.map(({ voiced }) => Math.round(voiced.startMs / 100))).toEqual([60, 210]);
    expect(listener.figures().heardMs).toBeCloseTo(8_000, -2);
    expect(listener.figures().speechMs).toBeGreaterThan(1_800);
  });

  it('leaves out sound before the first picture, and follows on where the source jumps', async () => {
    const listener = listen();
    let count = 0;
    async function* jumping() {
      yield* chunks(
        1,
        () => true,
        0,
        () => ((count += 1) === 6 ? listener.sync(500, 0) : undefined),
      );
      yield* chunks(1, () => true, 900_000);
    }
    await listener.listen(jumping());
    expect(utterances).toHaveLength(1);
    expect(utterances[0]?.voiced.startMs).toBe(0);
    expect(listener.figures().heardMs).toBeLessThan(1_600);
  });

  it('tells sound events, also of sound that stops, and ends them with the session', async () => {
    const listener = listen();
    await listener.listen(
      chunks(
        12,
        () => false,
        0,
        (at) => listener.sync(at * 1_000, at * 1_000),
      ),
    );
    for (let at = 12_000; at <= 20_000; at += 1_000) listener.sync(at, at);
    expect(events.map(({ kind, change }) => [kind, change])).toEqual([
      ['dead_air', 'opened'],
      ['audio_lost', 'opened'],
    ]);
    listener.end(21_000);
    expect(listener.figures().open).toEqual([]);
    expect(events).toHaveLength(4);
  });
});
