import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '#libs/observability/logger.js';
import { until } from '#libs/testing/chat-time.js';
import { HlsOrigin, mediaPlaylist } from '#libs/testing/hls-origin.js';
import { ClipDirectory, filePlayback, TEST_FORMAT } from '../capture/clips.fixture.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { ScriptedEngine } from '../detectors/whisper/scripted-engine.fixture.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { PlatformError, type Platform, type Playback } from '../platforms/platform.port.js';
import { Renewal } from '../platforms/renewal.js';
import { SpeechDesk } from '../speech/speech-desk.js';
import type { TimedFrame } from './capture-run.js';
import { jobOf, KeepingSink, loudVoice } from './session.fixture.js';
import { SessionFigures } from './session-figures.js';
import { SessionSenses } from './session-senses.js';
import { SessionStatus } from './session-status.js';
import type { SoundWatch } from './sound-watch.js';
import { SourceWatch, type SourceWatchParts } from './source-watch.js';
import { StreamClock } from './stream-clock.js';

const logger = createLogger('test', 'silent');

/** Real: ffmpeg, an HLS origin, the egress lane. The platform says what the test tells it to. */
describe('SourceWatch', () => {
  let clips: ClipDirectory;
  let ffmpegPath: string;
  let origin: HlsOrigin;
  let egress: EgressProxy;
  let lane: EgressLane;
  let ending: AbortController;
  let statuses: string[];
  let frames: TimedFrame[];
  const now = (): number => Date.now();

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
    origin = await HlsOrigin.start();
    egress = await EgressProxy.start({ allow: [origin.host] });
    lane = await egress.open('test');
  });
  afterAll(async () => {
    await egress.stop();
    await origin.stop();
    await clips.remove();
  });
  beforeEach(() => {
    ending = new AbortController();
    statuses = [];
    frames = [];
  });

  function sourceOf(resolve: Platform['resolve'], changes: Partial<SourceWatchParts> = {}): SourceWatch {
    const status = new SessionStatus((change) => statuses.push(change.status), now);
    return new SourceWatch({
      ...{ job: jobOf({}), lane, status, ffmpegPath, logger, now, random: () => 0 },
      platform: { descriptor: { id: 'test', title: 'Test', options: {} }, resolve },
      ...{ sound: null, format: () => TEST_FORMAT, sampleIntervalMs: 1_000 },
      ...{ figures: new SessionFigures(now), clock: new StreamClock(now) },
      onFrame: (frame) => {
        frames.push(frame);
        status.set('live');
        return Promise.resolve();
      },
      ...changes,
    });
  }
  const live = (url: string, expiresAt: number | null = null): Playback => ({
    ...{ url, headers: {}, pace: 'live', container: 'hls', expiresAt },
  });

  it('resolves anew before an address expires, and goes on in the stream time that has passed', async () => {
    origin.live('/renewed', await clips.segments('testsrc2=s=64x64:r=5:d=30', 1, 5));
    let resolves = 0;
    const pace = { leadShare: 0.5, leastLeadMs: 100, mostLeadMs: 60_000, leastWaitMs: 3_000 };
    const source = sourceOf(
      () => {
        resolves += 1;
        if (resolves === 2) throw new PlatformError('offline', 'unreachable', 'The site is busy.');
        return Promise.resolve(live(origin.url('/renewed.m3u8'), resolves === 1 ? Date.now() + 3_000 : null));
      },
      { renewal: new Renewal(now, () => 0, pace) },
    );
    const running = source.watch(ending.signal);
    await until('the renewal', () => resolves === 3, 30_000);
    const before = frames.length;
    await until('frames after it', () => frames.length > before + 2, 30_000);
    ending.abort();
    await running;
    expect(before).toBeGreaterThan(2);
    expect(statuses).toEqual(['starting', 'live']);
    const times = frames.map(({ streamTimeMs }) => streamTimeMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((frames.at(-1)?.wallTimeMs ?? 0) - (frames[0]?.wallTimeMs ?? 0)).toBeGreaterThan(5_000);
  }, 90_000);

  it('takes a short break of a broadcast for none, and a long one for its end', async () => {
    const segments = await clips.segments('testsrc2=s=64x64:r=5:d=3', 1, 5);
    segments.forEach(({ body }, index) => origin.bytes(`/ended.${index}.ts`, body));
    const entries = segments.map((_, index) => ({ uri: `/ended.${index}.ts`, durationMs: 1_000 }));
    origin.text('/ended.m3u8', mediaPlaylist(entries, 0, '', true));
    // The clock stands still but for what the platform's answers let pass: after the fifth failure the next try is a
    // minute away, so the end must be told at the fifth answer and not whenever the test looks.
    let time = Date.now();
    let resolves = 0;
    let beforeTheEnd: string[] = [];
    const source = sourceOf(
      () => {
        resolves += 1;
        if (resolves === 1) return Promise.resolve(live(origin.url('/ended.m3u8')));
        if (resolves === 5) {
          beforeTheEnd = [...statuses];
          time += 31_000;
        }
        throw new PlatformError('offline', 'not_found', 'Not on air.');
      },
      { now: () => time, stallMs: 60_000 },
    );
    const running = source.watch(ending.signal);
    await until('the end', () => statuses.at(-1) === 'offline', 60_000);
    ending.abort();
    await running;
    expect(new Set(beforeTheEnd)).toEqual(new Set(['starting', 'live']));
    expect(resolves).toBe(5);
  }, 90_000);

  it('watches the picture alone where the sound cannot be decoded, and says so', async () => {
    const path = join(clips.path, 'broken-sound.mkv');
    await clips.ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=4', '-f', 'lavfi', '-i', 'sine=d=4', '-c:v', 'libx264'],
      ...['-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-c:a', 'pcm_s16le', path],
    );
    // A codec that nobody knows.
    const bytes = await readFile(path);
    bytes.write('A_QUX/INT/LIT', bytes.indexOf('A_PCM/INT/LIT'), 'latin1');
    await writeFile(path, bytes);
    const engine = new ScriptedEngine(() => '');
    const speech = new SpeechDesk(engine);
    const clock = new StreamClock(now);
    const sink = new KeepingSink();
    const senses = new SessionSenses(
      jobOf({ parts: ['video', 'audio'] }),
      7,
      {
        ...{ hearing: { voice: loudVoice, speech }, reading: null, keywords: new KeywordWatch(logger), sink },
        signalRule: () => null,
      },
      { clock, now, logger, onChatState: () => undefined },
    );
    const source = sourceOf(() => Promise.resolve(filePlayback(path)), { clock, sound: senses.sound as SoundWatch });
    await source.watch(ending.signal);
    expect(frames).toHaveLength(4);
    expect(statuses).toEqual(['starting', 'live']);
    expect(senses.report().parts.audio).toMatchObject({
      state: 'degraded',
      detail: 'The sound cannot be decoded; the picture is watched without it.',
    });
    await senses.end(0);
    await speech.stop();
  }, 30_000);

  it('does not wait again after a try that took longer than the wait', async () => {
    let [time, resolves] = [Date.now(), 0];
    const source = sourceOf(
      () => {
        resolves += 1;
        time += 70_000;
        return Promise.reject(new PlatformError('offline', 'stalled', 'No answer.'));
      },
      { now: () => time, random: () => 0.999 },
    );
    const running = source.watch(ending.signal);
    // By the back-off alone the seventh would come after a minute.
    await until('the seventh try', () => resolves >= 7, 15_000);
    ending.abort();
    await running;
  }, 30_000);

  it('ends at once when it is told to, while it waits for the next try too', async () => {
    let resolves = 0;
    const source = sourceOf(() => {
      resolves += 1;
      return Promise.reject(new PlatformError('blocked', 'forbidden', 'No.'));
    });
    const running = source.watch(ending.signal);
    // After the fifth failure the next try is a minute away.
    await until('the fifth try', () => resolves === 5, 15_000);
    await new Promise((resolve) => setImmediate(resolve));
    ending.abort();
    await running;
    expect(resolves).toBe(5);
    expect(statuses.at(-1)).toBe('error');
  }, 30_000);
});
