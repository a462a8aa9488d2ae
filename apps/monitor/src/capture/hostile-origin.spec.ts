import type { StatusReason } from '#libs/contracts/primitives.js';
import { Canary, HlsOrigin, mediaPlaylist, type PreparedSegment } from '#libs/testing/hls-origin.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { PlatformError } from '../platforms/platform.port.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import { CaptureError } from './capture-error.js';
import { Capture } from './capture.js';
import { ClipDirectory, TEST_FORMAT } from './clips.fixture.js';
import { findFfmpeg } from './ffmpeg-binary.js';

/** What a session sees when it tries an address: frames, then a typed reason. */
interface Outcome {
  stage: 'resolve' | 'capture' | 'frames';
  reason: StatusReason | null;
  frames: number;
  requests: number;
}

describe('an address that an origin controls', () => {
  let ffmpegPath: string;
  let origin: HlsOrigin;
  let canary: Canary;
  let proxy: EgressProxy;
  let clips: ClipDirectory;
  let segments: PreparedSegment[];

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    [origin, canary, clips] = await Promise.all([HlsOrigin.start(), Canary.start(), ClipDirectory.make(ffmpegPath)]);
    segments = await clips.segments('testsrc2=s=320x180:r=10:d=4', 1, 10);
    proxy = await EgressProxy.start({
      allow: [origin.host],
      resolve: (host) =>
        host === 'public.invalid'
          ? Promise.resolve(['127.0.0.1'])
          : Promise.reject(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' })),
    });
    segments.forEach(({ body }, index) => origin.bytes(`/good${index}.ts`, body));
  }, 30_000);

  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    await canary.stop();
    await clips.remove();
  });

  async function attempt(url: string, skipProbe = false): Promise<Outcome> {
    const lane = await proxy.open('stream');
    const abort = new AbortController();
    let stage: Outcome['stage'] = 'resolve';
    let frames = 0;
    try {
      const playback = skipProbe
        ? { url, headers: {}, pace: 'live' as const, expiresAt: null, container: 'hls' as const }
        : await new UrlPlatform(false).resolve(url, abort.signal, lane);
      stage = 'capture';
      const capture = new Capture({
        ...{ ffmpegPath, playback, format: TEST_FORMAT, sampleIntervalMs: 100, decode: 'keyframes' as const },
        ...{ proxyUrl: lane.proxyUrl, stallMs: 2_500, killGraceMs: 300, fault: () => lane.lastFault() },
      });
      for await (const frame of capture.frames(abort.signal)) {
        frames = frame.index + 1;
        if (frames === 3) return { stage: 'frames', reason: null, frames, requests: lane.stats.requests };
      }
      return { stage, reason: null, frames, requests: lane.stats.requests };
    } catch (error) {
      if (!(error instanceof PlatformError || error instanceof CaptureError)) throw error;
      return { stage, reason: error.reason, frames, requests: lane.stats.requests };
    } finally {
      await lane.close();
    }
  }

  const entry = (uri: string): string => mediaPlaylist([{ uri, durationMs: 1_000 }], 0, '', true);
  const privateUrl = (scheme = 'http'): string => `${scheme}://127.0.0.1:${canary.port}/secret.ts`;

  it('plays when it is a good live stream', async () => {
    expect(await attempt(origin.live('/good', segments))).toMatchObject({ stage: 'frames', frames: 3 });
  }, 20_000);

  it.each<[string, () => string, StatusReason]>([
    ['an unknown host', () => 'http://nowhere.invalid/live.m3u8', 'unknown_host'],
    ['a missing page', () => origin.text('/404.m3u8', 'gone', 'text/plain', 404), 'not_found'],
    ['a forbidden page', () => origin.text('/403.m3u8', 'no', 'text/plain', 403), 'forbidden'],
    ['a page that is no stream', () => origin.text('/page', '<!doctype html><h1>Hi</h1>', 'text/html'), 'not_a_stream'],
    ['a server that is not there', () => 'http://127.0.0.1:1/live.m3u8', 'refused_address'],
    ['a private address', () => privateUrl(), 'refused_address'],
    ['a private address over https', () => privateUrl('https'), 'refused_address'],
    ['a private address as one number', () => `http://2130706433:${canary.port}/`, 'refused_address'],
    ['a private address in octal', () => `http://0177.1:${canary.port}/`, 'refused_address'],
    ['a private address mapped to IPv6', () => `http://[::ffff:127.0.0.1]:${canary.port}/`, 'refused_address'],
    ['a name that leads to a private address', () => `http://public.invalid:${canary.port}/`, 'refused_address'],
    ['a private rtsp address', () => privateUrl('rtsp'), 'refused_address'],
    ['a private rtmp address as one number', () => `rtmp://2130706433:${canary.port}/x`, 'unknown_host'],
    ['a file', () => 'file:///etc/passwd', 'unsupported_scheme'],
    ['a concatenation', () => 'concat:/etc/passwd', 'unsupported_scheme'],
    ['a redirect to a private address', () => origin.redirect('/r1', privateUrl()), 'refused_address'],
    ['a redirect to a file', () => origin.redirect('/r2', 'file:///etc/passwd'), 'refused_address'],
    ['a redirect without end', () => origin.redirect('/r3', '/r3'), 'unreachable'],
    ['gzip that nobody asked for', () => origin.gzipBomb('/bomb.m3u8'), 'not_a_stream'],
  ])('ends before ffmpeg starts for %s', async (_title, url, reason) => {
    expect(await attempt(url())).toMatchObject({ stage: 'resolve', reason, frames: 0 });
    expect(canary.connections).toBe(0);
  });

  it.each<[string, () => string, StatusReason]>([
    ['a segment at a private address', () => origin.text('/s1.m3u8', entry(privateUrl())), 'refused_address'],
    [
      'a segment at a private https address',
      () => origin.text('/s2.m3u8', entry(privateUrl('https'))),
      'refused_address',
    ],
    ['a segment that is a file', () => origin.text('/s3.m3u8', entry('file:///etc/passwd.ts')), 'refused_address'],
    [
      'a segment over bare tcp',
      () => origin.text('/s4.m3u8', entry(`tcp://127.0.0.1:${canary.port}/x.ts`)),
      'refused_address',
    ],
    [
      'a segment that redirects to a private address',
      () => {
        origin.redirect('/hop.ts', privateUrl());
        return origin.text('/s5.m3u8', entry('/hop.ts'));
      },
      'refused_address',
    ],
    [
      'a segment that redirects to a file',
      () => {
        origin.redirect('/hop-file.ts', 'file:///etc/passwd');
        return origin.text('/s6.m3u8', entry('/hop-file.ts'));
      },
      'refused_address',
    ],
    [
      'a key at a private address',
      () =>
        origin.text(
          '/k1.m3u8',
          mediaPlaylist(
            [{ uri: '/good0.ts', durationMs: 1_000 }],
            0,
            `#EXT-X-KEY:METHOD=AES-128,URI="${privateUrl()}"`,
            true,
          ),
        ),
      'refused_address',
    ],
    [
      'a key that is a file',
      () =>
        origin.text(
          '/k2.m3u8',
          mediaPlaylist(
            [{ uri: '/good0.ts', durationMs: 1_000 }],
            0,
            '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"',
            true,
          ),
        ),
      'refused_address',
    ],
    [
      'a map at a private address',
      () =>
        origin.text(
          '/m1.m3u8',
          mediaPlaylist(
            [{ uri: '/good0.mp4', durationMs: 1_000 }],
            0,
            `#EXT-X-MAP:URI="http://127.0.0.1:${canary.port}/m.mp4"`,
            true,
          ),
        ),
      'refused_address',
    ],
    [
      'a child playlist at a private address',
      () =>
        origin.text('/c1.m3u8', `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttp://127.0.0.1:${canary.port}/c.m3u8\n`),
      'refused_address',
    ],
    [
      'a child playlist that is a file',
      () => origin.text('/c2.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nfile:///etc/passwd.m3u8\n'),
      'refused_address',
    ],
    ['a playlist that names itself', () => origin.selfReferencing('/self.m3u8'), 'budget_exceeded'],
    ['a playlist without end', () => origin.endlessPlaylist('/endless.m3u8'), 'budget_exceeded'],
    ['segments that are missing', () => origin.text('/lost.m3u8', entry('/nothing.ts')), 'not_found'],
    [
      'segments that are text',
      () => {
        origin.text('/text.ts', 'hello '.repeat(2_000), 'video/mp2t');
        return origin.text('/texts.m3u8', entry('/text.ts'));
      },
      'not_a_stream',
    ],
  ])(
    'ends with a typed reason for %s',
    async (_title, url, reason) => {
      const outcome = await attempt(url());
      expect(outcome).toMatchObject({ stage: 'capture', reason });
      expect(outcome.requests).toBeLessThan(400);
      expect(canary.connections).toBe(0);
    },
    20_000,
  );

  it('ends as stalled when a playlist stops to change after its first pictures', async () => {
    expect(await attempt(origin.live('/frozen', segments, { until: 0 }))).toMatchObject({
      ...{ stage: 'capture', reason: 'stalled', frames: 2 },
    });
  }, 20_000);

  it('ends when a playlist names itself as its segment, whether this ffmpeg follows it or not', async () => {
    const outcome = await attempt(origin.selfSegment('/self-segment.m3u8'));
    expect(outcome.stage).toBe('capture');
    expect(['budget_exceeded', 'stalled', 'not_a_stream']).toContain(outcome.reason);
    expect(outcome.requests).toBeLessThan(400);
  }, 20_000);

  it('ends as stalled when a playlist never answers, in the probe and in ffmpeg', async () => {
    expect(await attempt(origin.hang('/hang.m3u8'), true)).toMatchObject({ stage: 'capture', reason: 'stalled' });
  }, 20_000);

  it('ends as stalled when a playlist comes at one byte a second', async () => {
    expect(await attempt(origin.drip('/drip.m3u8'), true)).toMatchObject({ stage: 'capture', reason: 'stalled' });
  }, 20_000);

  it('does not inflate what a player did not ask for', async () => {
    expect(await attempt(origin.gzipBomb('/bomb2.m3u8'), true)).toMatchObject({
      stage: 'capture',
      reason: 'not_a_stream',
    });
  }, 20_000);
});
