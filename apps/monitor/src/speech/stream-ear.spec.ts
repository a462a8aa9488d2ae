import { readFile } from 'node:fs/promises';
import { itWithData } from '#libs/testing/test-data.js';
import { VoiceDetector } from '../inference/voice-detector.js';
import { chords, made } from './sound.fixture.js';
import { bytesOf, SAMPLE_RATE } from './pcm.js';
import { StreamEar, type Heard, type HeardFrame } from './stream-ear.js';
import { CUTTER_DEFAULTS } from './utterance-cutter.js';
import { samplesOfWav } from './wav.js';

let voice: VoiceDetector;
beforeAll(() => {
  voice = new VoiceDetector();
});
afterAll(() => voice.stop());

/** Lets an ear listen to sound in pieces of a tenth of a second, with two seconds of silence at the end. */
async function listen(sound: Int16Array, ear = new StreamEar('stream', voice)): Promise<Heard> {
  const whole = new Int16Array(sound.length + 2 * SAMPLE_RATE);
  whole.set(sound);
  const heard: Heard = { frames: [], utterances: [] };
  for (let at = 0; at < whole.length; at += 1_600) {
    const { frames, utterances } = await ear.hear({ startMs: at / 16, samples: whole.subarray(at, at + 1_600) });
    heard.frames.push(...frames);
    heard.utterances.push(...utterances);
  }
  heard.utterances.push(...ear.end());
  return heard;
}

const speechWithin = (frames: readonly HeardFrame[], fromMs: number, toMs: number): number => {
  const within = frames.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
  return within.filter(({ speech }) => (speech ?? 0) >= 0.5).length / within.length;
};

describe('StreamEar', () => {
  it('brings no utterance of silence, hum or music to anyone', async () => {
    const ear = new StreamEar('quiet', voice);
    expect((await listen(new Int16Array(5 * SAMPLE_RATE), ear)).utterances).toEqual([]);
    expect(ear.gated).toBeGreaterThan(200);
    expect((await listen(made(10, chords))).utterances).toEqual([]);
    expect((await listen(made(5, (at) => 0.3 * Math.sin(2 * Math.PI * 50 * at)))).utterances).toEqual([]);
    expect(ear.unheard).toBe(0);
  });

  it('goes on without a voice detector, and says which frames it could not judge', async () => {
    const lame = { hear: () => Promise.reject(new Error('away')), forget: () => undefined };
    const ear = new StreamEar('stream', lame);
    const { frames, utterances } = await listen(made(1, chords), ear);
    expect(utterances).toEqual([]);
    expect(ear.unheard).toBeGreaterThan(30);
    expect(frames[0]).toMatchObject({ speech: null, startMs: 0 });
  });

  it('waits once for a voice detector that does not answer, and asks it again when it has', async () => {
    let answer = (): void => undefined;
    let asked = 0;
    const slow = {
      hear: (_: string, samples: Float32Array): Promise<Float32Array> => {
        asked += 1;
        const silence = new Float32Array(samples.length / 512);
        return asked > 1 ? Promise.resolve(silence) : new Promise((resolve) => (answer = () => resolve(silence)));
      },
      forget: () => undefined,
    };
    const ear = new StreamEar('stream', slow, CUTTER_DEFAULTS, 5);
    const piece = { startMs: 0, samples: made(1, chords) };
    expect((await ear.hear(piece)).frames[0]?.speech).toBeNull();
    expect((await ear.hear({ ...piece, startMs: 1_000 })).frames[0]?.speech).toBeNull();
    expect(asked).toBe(1);
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await ear.hear({ ...piece, startMs: 2_000 })).frames[0]?.speech).toBe(0);
    expect([asked, ear.unheard]).toEqual([2, 62]);
  });

  itWithData('finds the four runs of a known recording', ['speech/jfk.wav'], async (path) => {
    const sound = samplesOfWav(await readFile(path), path);
    const { frames, utterances } = await listen(sound);
    for (const [from, to] of [
      ...([
        [400, 2_200],
        [3_350, 4_350],
        [5_450, 7_600],
        [8_250, 10_500],
      ] as const),
    ]) {
      expect(speechWithin(frames, from, to)).toBeGreaterThan(0.8);
      expect(utterances.some(({ startMs, endMs }) => startMs <= from && endMs >= to)).toBe(true);
    }
    for (const [from, to] of [
      ...([
        [2_450, 3_150],
        [4_600, 5_250],
        [7_800, 8_100],
      ] as const),
    ]) {
      expect(speechWithin(frames, from, to)).toBe(0);
    }
    // With a short end of silence the runs stand alone.
    const alone = await listen(sound, new StreamEar('alone', voice, { ...CUTTER_DEFAULTS, endSilenceMs: 300 }));
    expect(alone.utterances.map(({ voiced }) => Math.round(voiced.startMs / 100) / 10)).toEqual([0.4, 3.3, 5.4, 8.2]);
  });

  itWithData('hears many streams at once as it hears one', ['speech/jfk.wav'], async (path) => {
    const sound = samplesOfWav(await readFile(path), path).subarray(0, 5 * SAMPLE_RATE);
    const one = await listen(sound, new StreamEar('one', voice));
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const late = new Int16Array(sound.length + index * 1_600);
        late.set(sound, index * 1_600);
        return listen(late, new StreamEar(`s${index}`, voice));
      }),
    );
    expect(one.utterances.length).toBeGreaterThan(0);
    for (const { utterances } of many) expect(utterances).toHaveLength(one.utterances.length);
    // The sound is compared by itself: how two long arrays differ takes Jest long to print.
    const soundless = ({ utterances }: Heard): object[] =>
      utterances.map(({ pcm, ...rest }) => ({ ...rest, length: pcm.length }));
    const [first] = many;
    expect(first === undefined ? [] : soundless(first)).toEqual(
      one.utterances.map(({ pcm, vadMean, ...rest }) => ({
        ...rest,
        length: pcm.length,
        vadMean: expect.closeTo(vadMean, 4),
      })),
    );
    for (const [index, { pcm }] of one.utterances.entries()) {
      expect(bytesOf(pcm).equals(bytesOf(first?.utterances[index]?.pcm ?? new Int16Array(0)))).toBe(true);
    }
  });
});
