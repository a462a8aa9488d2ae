import type { KeywordRule, SignalRule } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import { until } from '#libs/testing/chat-time.js';
import type { SoundChunk } from '../capture/sound-chunks.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import type { AsrEngine } from '../detectors/whisper/asr.port.js';
import { ScriptedEngine } from '../detectors/whisper/scripted-engine.fixture.js';
import { Cooldowns } from '../pipeline/cooldowns.js';
import { bytesOf, levelOf, SAMPLE_RATE } from '../speech/pcm.js';
import { made } from '../speech/sound.fixture.js';
import { SpeechDesk } from '../speech/speech-desk.js';
import type { QueueLimits } from '../speech/utterance-queue.js';
import { Findings } from './findings.js';
import { jobOf, keywordOf, KeepingSink, loudVoice, STREAM_ID } from './session.fixture.js';
import { SignalDesk } from './signal-desk.js';
import { SoundWatch } from './sound-watch.js';
import { StreamClock } from './stream-clock.js';

const logger = createLogger('test', 'silent');
const NOW = 1_700_000_000_000;

/** Tenths of a second of sound, a tone where it is loud: 3 s in every 5 unless told otherwise. */
async function* talk(
  seconds: number,
  tick: (ms: number) => void,
  isLoud: (at: number) => boolean = (at) => at % 5 < 3,
): AsyncGenerator<SoundChunk> {
  for (let index = 0; index < seconds * 10; index += 1) {
    tick(index * 100);
    const loud = isLoud(index / 10);
    const samples = made(0.1, (at) => (loud ? 0.3 * Math.sin(2 * Math.PI * 313 * at) : 0));
    yield await Promise.resolve({ ptsMs: index * 100, bytes: bytesOf(samples) });
  }
}

/** An engine that does something else before it writes down. It takes no notice of being told to stop. */
function slowed(engine: AsrEngine, before: () => Promise<void>): AsrEngine {
  return {
    descriptor: engine.descriptor,
    state: () => engine.state(),
    start: () => engine.start(),
    stop: () => engine.stop(),
    transcribe: async (said) => {
      await before();
      return engine.transcribe(said);
    },
  };
}

describe('SoundWatch', () => {
  let sink: KeepingSink;
  let keywords: KeywordWatch;
  let speech: SpeechDesk;
  let time: number;

  beforeEach(() => {
    sink = new KeepingSink();
    keywords = new KeywordWatch(logger);
    time = NOW;
  });
  afterEach(async () => {
    await speech.stop();
    await keywords.stop();
  });

  async function watch(
    engine: AsrEngine,
    rules: KeywordRule[],
    wishes: { language?: string; signals?: SignalRule[]; limits?: QueueLimits } = {},
  ): Promise<SoundWatch> {
    const { language = null, signals: wanted = [], limits } = wishes;
    keywords.update(rules);
    await keywords.settled();
    speech = new SpeechDesk(engine, limits);
    await engine.start();
    speech.start();
    const findings = new Findings(sink, logger);
    const cooldowns = new Cooldowns();
    const now = (): number => time;
    const clock = new StreamClock(now);
    clock.at(0, NOW);
    const ruleOf = (signal: string): SignalRule | null => wanted.find((rule) => rule.signal === signal) ?? null;
    const signals = new SignalDesk({ streamId: STREAM_ID, session: 7 }, ruleOf, cooldowns, findings);
    return new SoundWatch(jobOf({ language }), 7, {
      ...{ voice: loudVoice, speech, keywords, cooldowns, findings, signals, clock, now },
    });
  }

  /** Lets a watch hear so much talk, and its engine write it down. */
  async function hear(sound: SoundWatch, seconds: number): Promise<void> {
    await sound.listen(talk(seconds, (ms) => sound.sync(ms, ms)));
    await sound.end(10_000);
  }

  it('writes down what is said, with its place in time, and quotes the keywords in it', async () => {
    const lines = ['free crypto for all', 'and free', 'crypto again'];
    const engine = new ScriptedEngine((index) => lines[index] ?? '');
    const sound = await watch(engine, [keywordOf('money', 'free crypto')]);
    await hear(sound, 10);
    expect(sink.transcripts).toHaveLength(2);
    expect(sink.transcripts[0]).toMatchObject({
      ...{ text: '[scripted] free crypto for all', language: null, engine: 'scripted', model: 'script', filters: [] },
      startedAt: NOW,
    });
    expect(Math.abs((sink.transcripts[1]?.startedAt ?? 0) - NOW - 4_700)).toBeLessThan(100);
    const [finding, ...others] = sink.findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      ...{ kind: 'audio', label: 'money', detector: 'phrases', model: 'script', startedAt: NOW },
      segmentId: sink.transcripts[0]?.segmentId,
      quote: { text: '[scripted] free crypto for all', start: 11, end: 22, view: 'plain', language: null },
    });
    expect(finding?.kind === 'audio' ? (finding.pcm?.length ?? 0) : 0).toBeGreaterThan(48_000);
    expect(sound.figures()).toMatchObject({ segments: 2, droppedMs: 0, unheardMs: 0 });
    expect(sound.speechReport().state).toBe('live');
  });

  it('tells a rule once while it cools down in stream time', async () => {
    const engine = new ScriptedEngine((index) => `take ${'alpha beta gamma delta'.split(' ')[index] ?? ''} crypto`);
    const sound = await watch(engine, [keywordOf('money', 'crypto', { cooldownMs: 8_000 })]);
    await hear(sound, 20);
    expect(sink.transcripts).toHaveLength(4);
    expect(sink.findings.map(({ startedAt }) => Math.round((startedAt - NOW) / 5_000))).toEqual([0, 2]);
  });

  it('keeps rules of another language out of a stream whose language is fixed', async () => {
    const rules = [keywordOf('german', 'gift', { language: 'de' }), keywordOf('english', 'gift', { language: 'en' })];
    const sound = await watch(new ScriptedEngine(() => 'a gift'), rules, { language: 'en' });
    await hear(sound, 5);
    expect(sink.findings.map(({ label, quote }) => [label, quote?.language])).toEqual([['english', 'en']]);
    expect(sink.transcripts[0]?.language).toBe('en');
  });

  it('counts speech that the engine is too slow for, and says that it is behind', async () => {
    let heard = 0;
    let free = (): void => undefined;
    const busy = new Promise<void>((resolve) => (free = resolve));
    const engine = new ScriptedEngine(() => 'never mind');
    const slow = slowed(engine, async () => {
      heard += 1;
      await busy;
    });
    const limits = { maxLagMs: 60_000, maxWaiting: 1, maxSoundMs: 60_000 };
    const sound = await watch(slow, [], { limits });
    await sound.listen(talk(20, (ms) => sound.sync(ms, ms)));
    await until('the engine', () => heard === 1);
    expect(sound.figures().droppedMs).toBeGreaterThan(5_000);
    expect(sound.speechReport()).toMatchObject({
      state: 'degraded',
      detail: expect.stringMatching(/^The speech engine is behind: \d+ s of speech were given up\.$/) as string,
    });
    expect(sound.audio.state).toBe('live');
    time += 61_000;
    expect(sound.speechReport().state).toBe('live');
    free();
    await sound.end(10_000);
  });

  it('counts a keyword once where a pause cuts it in two, and not again for the words carried over', async () => {
    const lines = ['all of it is free', 'crypto for you', 'and for me'];
    const sound = await watch(new ScriptedEngine((index) => lines[index] ?? ''), [
      keywordOf('money', 'free scripted crypto'),
    ]);
    // The pauses are short: what is said before and after one belongs together. Between stands the engine's own name.
    const pauses = talk(
      6,
      (ms) => sound.sync(ms, ms),
      (at) => at % 2 < 1.4,
    );
    await sound.listen(pauses);
    await sound.end(10_000);
    expect(sink.transcripts).toHaveLength(3);
    expect(sink.findings.map(({ quote }) => quote?.text)).toEqual([
      '[scripted] all of it is free [scripted] crypto for you',
    ]);
    expect(sink.findings[0]).toMatchObject({ segmentId: sink.transcripts[1]?.segmentId });
  });

  it('shows a signal by the sound of the seconds before it was told, and its end by itself', async () => {
    const deadAir: SignalRule = { signal: 'dead_air', severity: 'low', cooldownMs: 0 };
    const sound = await watch(new ScriptedEngine(() => 'hello'), [], { signals: [deadAir] });
    await sound.listen(
      talk(
        20,
        (ms) => sound.sync(ms, ms),
        (at) => at < 7,
      ),
    );
    await sound.end(10_000);
    expect(sink.findings.map(({ label, detector }) => [label, detector])).toEqual([['dead_air', 'sound']]);
    const [finding] = sink.findings;
    const pcm = finding?.kind === 'audio' ? finding.pcm : null;
    // Told after ten seconds of silence: five of what was there before are in it.
    expect(pcm).toHaveLength(15 * SAMPLE_RATE);
    expect(levelOf(pcm?.subarray(0, 4 * SAMPLE_RATE) ?? new Int16Array(0))).toBeGreaterThan(-20);
    expect(levelOf(pcm?.subarray(-9 * SAMPLE_RATE) ?? new Int16Array(0))).toBe(-Infinity);
    expect(sink.ends.map(({ eventId }) => eventId)).toEqual([finding?.eventId]);
  });

  it('ends, and lets the engine be stopped, where the engine never answers', async () => {
    const dead = slowed(new ScriptedEngine(() => 'never'), () => new Promise(() => undefined));
    const sound = await watch(dead, [keywordOf('money', 'crypto')]);
    await sound.listen(talk(10, (ms) => sound.sync(ms, ms)));
    await sound.end(20);
    await speech.stop();
    expect(sink.transcripts).toEqual([]);
    expect(sound.figures()).toMatchObject({ segments: 0 });
    expect(sound.figures().speechMs).toBeGreaterThan(5_000);
  });

  it('says that a stream has no sound, once its pictures have gone on for a while', async () => {
    const sound = await watch(new ScriptedEngine(() => ''), []);
    const silent = (async function* () {
      for (let ms = 0; ms <= 6_000; ms += 1_000) sound.sync(ms, ms);
      yield* [];
      await Promise.resolve();
    })();
    await sound.listen(silent);
    expect(sound.audio.report()).toMatchObject({ state: 'off', detail: 'The stream has no sound.' });
    expect(sound.speechReport().state).toBe('off');
    await sound.end(0);
  });
});
