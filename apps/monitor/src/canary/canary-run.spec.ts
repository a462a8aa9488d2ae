import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CanaryObserved } from '#libs/contracts/canary.js';
import { CanaryObserved as Observed } from '#libs/contracts/canary.js';
import type { Fact } from '#libs/contracts/facts.js';
import { createLogger } from '#libs/observability/logger.js';
import { testData } from '#libs/testing/test-data.js';
import { until } from '#libs/testing/until.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { createVideoDetector } from '../detectors/registry.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { createAsrEngine } from '../detectors/whisper/create-engine.js';
import { SherpaEngine } from '../detectors/whisper/sherpa-engine.js';
import { writeTinyWhisper } from '../detectors/whisper/tiny-whisper.fixture.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { VoiceDetector } from '../inference/voice-detector.js';
import { SpeechDesk } from '../speech/speech-desk.js';
import { CanaryOrigin } from './canary-origin.js';
import { CanaryRun, KEYWORD, type CanaryServices } from './canary-run.js';
import { makePlantedClip, type PlantedClip } from './planted-clip.js';

const logger = createLogger('test', 'silent');

/** How a run differs from the usual one. */
interface Plan {
  patienceMs?: number;
  prepare?: (origin: CanaryOrigin) => void;
  planted?: PlantedClip;
}

/** Real: ffmpeg, the detector, the voice model, egress, HTTP, WebSockets. The spool and the store are lists. */
describe('a run of the canary', () => {
  let services: CanaryServices;
  let folder: string;
  let clip: PlantedClip;
  const facts: Fact[] = [];
  const files = new Map<string, number>();
  const endings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'canary-spec-'));
    const modelsDir = testData('models') ?? 'models';
    const detector = createVideoDetector('yolo', { model: 'yolox-nano', modelsDir, allowDownload: false });
    const voice = new VoiceDetector();
    const engine = createAsrEngine({ modelsDir: folder, language: '', threads: 1 });
    const speech = new SpeechDesk(engine);
    const keywords = new KeywordWatch(logger);
    keywords.update([KEYWORD]);
    const egress = await EgressProxy.start({ allow: [] });
    endings.push(...[detector, voice, speech, keywords, egress].map((part) => () => part.stop()));
    await Promise.all([detector.start(), voice.start(), keywords.settled()]);
    speech.start();
    services = {
      ...{ monitorId: 'm.1', egress, detector, voice, speech, keywords, logger, now: Date.now, random: Math.random },
      spool: {
        append: (fact) => Promise.resolve(facts.push(fact)),
        pressure: () => ({ ratio: 0, shedFrames: false }),
        frameShed: () => undefined,
      },
      evidence: { put: (key, bytes) => Promise.resolve(void files.set(key, bytes.length)) },
      ffmpegPath: await findFfmpeg(),
    };
    clip = await makePlantedClip(services.ffmpegPath, false);
  }, 120_000);

  afterAll(async () => {
    for (const end of endings.reverse()) await end();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    facts.length = 0;
    files.clear();
  });

  async function outcome(
    changes: Partial<CanaryServices> = {},
    { patienceMs, prepare, planted = clip }: Plan = {},
  ): Promise<Record<string, CanaryObserved>> {
    const origin = await CanaryOrigin.start(planted, Date.now);
    prepare?.(origin);
    try {
      await new CanaryRun({ ...services, ...changes }, patienceMs).run(
        origin,
        planted.speaks,
        new AbortController().signal,
      );
    } finally {
      await origin.stop();
    }
    return Object.fromEntries(facts.map((fact) => Observed.parse(fact)).map((fact) => [fact.part, fact]));
  }

  it('finds what was planted in picture, sound and chat, by the way of every stream', async () => {
    const before = process.cpuUsage();
    const { video, audio, speech, chat } = await outcome();
    const { user, system } = process.cpuUsage(before);
    const latency = [video, audio, chat].map((fact) => (fact?.foundAt ?? 0) - (fact?.airedAt ?? Infinity));
    process.stderr.write(
      `canary: ${((user + system) / 1e6).toFixed(1)} s of cpu, latencies ${latency.join(', ')} ms\n`,
    );
    expect([video, audio, speech, chat].map((fact) => fact?.outcome)).toEqual(['found', 'found', 'unproven', 'found']);
    expect(speech?.reason).toContain('model missing');
    for (const ms of latency) expect(ms).toBeGreaterThan(0);
    expect(facts).toHaveLength(4);
    expect(new Set(facts.map((fact) => (fact.type === 'canary.observed' ? fact.runId : ''))).size).toBe(1);
    // The same names with every run: two files are all that it leaves.
    expect([...files.keys()].sort()).toEqual(['canary/m_1.jpg', 'canary/m_1.wav']);
  }, 60_000);

  it('hears what is said, where there is an engine and a voice', async () => {
    const spoken = await makePlantedClip(services.ffmpegPath, true);
    await writeTinyWhisper(folder, 'ask what you can do for your country');
    const speech = new SpeechDesk(new SherpaEngine({ wanted: folder, modelsDir: folder }));
    try {
      speech.start();
      await until(() => speech.state().state === 'ready', 'the engine is ready');
      const { audio, speech: said } = await outcome({ speech }, { planted: spoken });
      expect(audio?.outcome).toBe('found');
      if (spoken.speaks) expect(said).toMatchObject({ outcome: 'found', reason: '' });
      else expect(said).toMatchObject({ outcome: 'unproven', reason: expect.stringContaining('no voice') });
    } finally {
      await speech.stop();
    }
  }, 90_000);

  it('names what did not come out, each part by itself', async () => {
    const blind = { ...services.detector, inspect: () => Promise.resolve([]) };
    const detector = Object.assign(Object.create(services.detector) as typeof services.detector, blind);
    const { video, audio, chat } = await outcome(
      { detector },
      {
        patienceMs: 15_000,
        prepare: (origin) => (origin.room.welcome = () => undefined),
      },
    );
    expect([video, audio, chat].map((fact) => fact?.outcome)).toEqual(['missed', 'found', 'missed']);
    expect(video?.reason).toBe('It did not come out within 15 s; the part was live.');
    expect(chat?.reason).toContain('the part was starting');
  }, 60_000);

  it('goes on in the chat when ffmpeg fails, and says what failed', async () => {
    const ffmpegPath = join(folder, 'ffmpeg');
    await writeFile(ffmpegPath, '#!/bin/sh\necho "no such codec" >&2\nexit 1\n');
    await chmod(ffmpegPath, 0o755);
    const { video, audio, chat } = await outcome({ ffmpegPath }, { patienceMs: 3_000 });
    expect([video, audio, chat].map((fact) => fact?.outcome)).toEqual(['missed', 'missed', 'found']);
    expect(video?.reason).toMatch(/the part was (error|offline|starting)/);
  }, 60_000);

  it('does not count what was found without its evidence', async () => {
    const evidence = { put: () => Promise.reject(new Error('disk full')) };
    const { video, audio } = await outcome({ evidence }, { patienceMs: 12_000 });
    expect(video).toMatchObject({ outcome: 'missed', reason: 'It was found, but its evidence could not be kept.' });
    expect(audio?.outcome).toBe('missed');
  }, 60_000);

  it('has a source that no other stream can reach, and a way out that leads nowhere else', async () => {
    const [origin, other] = [await CanaryOrigin.start(clip, Date.now), await CanaryOrigin.start(clip, Date.now)];
    const people = await services.egress.open('people');
    const own = await services.egress.open('canary', {}, { only: origin.place });
    try {
      await expect(people.fetch(origin.streamUrl)).rejects.toMatchObject({ reason: 'refused_address' });
      expect((await own.fetch(origin.streamUrl)).status).toBe(200);
      await expect(own.fetch(other.streamUrl)).rejects.toMatchObject({ reason: 'refused_address' });
      await expect(own.fetch('http://example.com/')).rejects.toMatchObject({ reason: 'refused_address' });
      const guessed = origin.streamUrl.replace(/[0-9a-f]{32}/, 'f'.repeat(32));
      expect((await own.fetch(guessed)).status).toBe(404);
    } finally {
      await Promise.all([people.close(), own.close(), origin.stop(), other.stop()]);
    }
  });
});
