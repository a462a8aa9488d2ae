import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import type { SignalRule } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import { ClipDirectory } from '../capture/clips.fixture.js';
import { systemClock } from '../capture/clock.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { CHAT_LANE_LIMITS } from '../chat/chat-source.port.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from '../chat/registry.js';
import { ChatSupervisor } from '../chat/supervisor.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { SherpaEngine } from '../detectors/whisper/sherpa-engine.js';
import { writeTinyWhisper } from '../detectors/whisper/tiny-whisper.fixture.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import { SpeechDesk } from '../speech/speech-desk.js';
import { StreamSession } from './stream-session.js';
import {
  CountingEngine,
  jobOf,
  keywordOf,
  KeepingSink,
  LightDetector,
  lightRule,
  loudVoice,
  STREAM_ID,
  untilReport,
} from './session.fixture.js';

const SENTENCE = 'ask what you can do for your country';
const logger = createLogger('test', 'silent');
const signalRule = (): SignalRule => ({ signal: 'dead_air', severity: 'medium', cooldownMs: 0 });

/** Real: ffmpeg, the egress lanes, the chat socket, the speech engine in its child. Stand-ins look and listen. */
describe('one session', () => {
  let clips: ClipDirectory;
  let ffmpegPath: string;
  let origin: HlsOrigin;
  let chat: ChatIrcServer;
  let egress: EgressProxy;
  let keywords: KeywordWatch;
  let chats: ChatSupervisor;

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
    origin = await HlsOrigin.start();
    chat = await ChatIrcServer.start();
    egress = await EgressProxy.start({ allow: [origin.host, ...chat.hosts] });
    keywords = new KeywordWatch(logger);
    keywords.update([keywordOf('land', 'country'), keywordOf('money', 'free crypto')]);
    await keywords.settled();
    const sources = registerChatSources({ ...PUBLIC_CHAT_SERVERS, twitchIrc: chat.url });
    chats = new ChatSupervisor({ sources, clock: systemClock, random: () => 0, logger });
  });

  afterAll(async () => {
    await chats.stop();
    await keywords.stop();
    await egress.stop();
    await chat.stop();
    await origin.stop();
    await clips.remove();
  });

  async function sessionOf(
    url: string,
    engine: SherpaEngine,
    sink: KeepingSink,
    parts: ('video' | 'audio' | 'chat')[] = ['video', 'audio', 'chat'],
  ): Promise<{ session: StreamSession; speech: SpeechDesk }> {
    const speech = new SpeechDesk(new CountingEngine(engine));
    speech.start();
    const job = jobOf({ url, parts, chat: { platform: 'twitch', channel: 'room', options: {} } });
    const session = new StreamSession(job, 7, {
      ...{ ffmpegPath, logger, sink, detector: new LightDetector(), platform: new UrlPlatform(true) },
      ...{ rules: () => [lightRule], lane: await egress.open(STREAM_ID), sampleIntervalMs: 1_000 },
      ...{ now: Date.now, random: () => 0 },
      senses: {
        ...{ hearing: { voice: loudVoice, speech }, keywords, signalRule, sink },
        reading: { chats, pushes: null, openLane: () => egress.open(STREAM_ID, CHAT_LANE_LIMITS) },
      },
    });
    return { session, speech };
  }

  /** A live stream of two minutes: light for 3 of every 8 s, a tone of 3 s in every 5. */
  async function liveStream(): Promise<string> {
    const directory = await mkdtemp(join(clips.path, 'live-'));
    const picture = "nullsrc=s=64x64:r=5:d=120,geq=lum='if(lt(mod(T,8),3.5),235,16)':cb=128:cr=128";
    const sound = "aevalsrc='if(lt(mod(t,5),3),0.3*sin(2*PI*313*t),0)':s=16000:d=120";
    await clips.ffmpeg(
      ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound, '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-pix_fmt', 'yuv420p', '-g', '5', '-sc_threshold', '0', '-c:a', 'aac', '-f', 'hls', '-hls_time', '1'],
      ...['-hls_list_size', '0', join(directory, 'x.m3u8')],
    );
    const names = (await readdir(directory)).filter((name) => name.endsWith('.ts'));
    names.sort((a, b) => Number(/\d+/.exec(a)?.[0]) - Number(/\d+/.exec(b)?.[0]));
    const bodies = await Promise.all(names.map((name) => readFile(join(directory, name))));
    return origin.live(
      '/live',
      bodies.map((body) => ({ body, durationMs: 1_000 })),
    );
  }

  it('sees, hears and reads at once; each part is killed in turn, the others go on, and it comes back', async () => {
    await writeTinyWhisper(clips.path, SENTENCE);
    const engine = new SherpaEngine({ wanted: clips.path, modelsDir: clips.path });
    const sink = new KeepingSink();
    const { session, speech } = await sessionOf(await liveStream(), engine, sink);
    const ending = new AbortController();
    const running = session.run(ending.signal);
    let said = 0;
    const talk = setInterval(() => {
      said += 1;
      chat.say({ id: `m${said}`, user: 'ann', text: said % 10 === 0 ? 'get FREE CRYPT0 here' : `line ${said}` });
    }, 50);
    const report = (): ReturnType<StreamSession['report']> => session.report();
    const states = (): string[] => Object.values(report().parts).map(({ state }) => state);
    const kill = (pid: number | null): void => void (pid !== null && process.kill(pid, 'SIGKILL'));
    try {
      await untilReport('all parts live', report, ({ parts }) =>
        Object.values(parts).every(({ state }) => state === 'live'),
      );
      await untilReport(
        'a finding of each kind',
        report,
        () => sink.seen.length > 0 && sink.labelled('land').length > 0 && sink.labelled('money').length > 0,
      );

      // The speech engine.
      let before = report();
      kill(engine.pid);
      const heard = before.sound?.segments ?? 0;
      let after = await untilReport('speech again', report, ({ sound }) => (sound?.segments ?? 0) > heard + 1);
      expect(engine.restarts).toBeGreaterThanOrEqual(1);
      expect(after.framesInspected).toBeGreaterThan(before.framesInspected);
      expect(after.chat?.received).toBeGreaterThan(before.chat?.received ?? 0);
      expect(after).toMatchObject({ restarts: 0, chat: { reconnects: 0 } });

      // The chat's socket.
      before = report();
      chat.sever();
      await untilReport('the chat to be missed', report, ({ parts }) => parts.chat.state === 'degraded');
      expect(states().slice(0, 2)).toEqual(['live', 'live']);
      after = await untilReport(
        'the chat again',
        report,
        ({ parts, framesInspected }) => parts.chat.state === 'live' && framesInspected > before.framesInspected + 1,
      );
      expect(after.chat?.reconnects).toBe(1);
      expect(after.sound?.heardMs).toBeGreaterThan(before.sound?.heardMs ?? 0);
      expect(after.restarts).toBe(0);

      // The capture.
      before = report();
      kill(session.ffmpegPid);
      const down = await untilReport('the capture to be missed', report, ({ parts }) => parts.video.state !== 'live');
      expect(down.parts).toMatchObject({ audio: { state: 'starting' }, chat: { state: 'live' } });
      after = await untilReport(
        'the capture again',
        report,
        ({ parts, sound }) =>
          parts.video.state === 'live' &&
          parts.audio.state === 'live' &&
          (sound?.heardMs ?? 0) > (before.sound?.heardMs ?? 0) + 1_000,
      );
      expect(after.restarts).toBe(1);
      expect(after.chat).toMatchObject({ reconnects: before.chat?.reconnects });
      expect(after.chat?.received).toBeGreaterThan(before.chat?.received ?? 0);
      expect(after.findingsDropped).toBe(0);
    } finally {
      clearInterval(talk);
      ending.abort('stopped');
      await running;
      await speech.stop();
    }
    const [spoken] = sink.labelled('land');
    expect(spoken).toMatchObject({ kind: 'audio', detector: 'phrases', confidence: 1, ruleVersion: 1 });
    expect(spoken?.quote?.text.slice(spoken.quote.start, spoken.quote.end)).toBe('country');
    expect(sink.transcripts.map(({ segmentId }) => segmentId)).toContain(
      spoken?.kind === 'audio' ? spoken.segmentId : '',
    );
    const [written] = sink.labelled('money');
    expect(written).toMatchObject({ kind: 'chat', detector: 'phrases', message: { username: 'ann' } });
    expect(sink.contexts.find(({ eventId }) => eventId === written?.eventId)?.after).toHaveLength(10);
  }, 120_000);

  it('hears dead air in a file, and says what is missing to write speech down', async () => {
    const path = join(clips.path, 'silence.mp4');
    await clips.ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=25', '-f', 'lavfi'],
      ...['-i', "aevalsrc='if(lt(t,5),0.3*sin(2*PI*440*t),0)':s=16000:d=25", '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-pix_fmt', 'yuv420p', '-g', '10', '-sc_threshold', '0', '-c:a', 'aac', path],
    );
    const sink = new KeepingSink();
    const engine = new SherpaEngine({ wanted: 'whisper-none', modelsDir: clips.path });
    const { session, speech } = await sessionOf(`file://${path}`, engine, sink, ['video', 'audio']);
    await engine.start();
    await session.run(new AbortController().signal);
    const { parts, sound, framesInspected } = session.report();
    await speech.stop();
    expect(framesInspected).toBe(25);
    expect(sink.findings).toHaveLength(1);
    const [finding] = sink.findings;
    expect(finding).toMatchObject({
      ...{ kind: 'audio', detector: 'sound', label: 'dead_air', ruleId: null, severity: 'medium', quote: null },
    });
    expect(sink.ends.map(({ eventId }) => eventId)).toEqual([finding?.eventId]);
    expect(sound?.heardMs).toBeGreaterThan(24_000);
    expect(parts).toMatchObject({ audio: { state: 'live' }, chat: { state: 'off' } });
    expect(parts.speech).toMatchObject({
      state: 'degraded',
      detail: expect.stringContaining('no speech model') as string,
    });
  }, 60_000);
});
