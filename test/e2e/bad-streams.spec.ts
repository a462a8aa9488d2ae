import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Canary, HlsOrigin, mediaPlaylist, type PreparedSegment } from '#libs/testing/hls-origin.js';
import { ClipDirectory } from '../../apps/monitor/src/capture/clips.fixture.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';
import { makeClip, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, type Person } from './vigil.js';

/** A way in which a stream is bad. */
interface Case {
  title: string;
  url: string;
  /** What it may be said to be; none when it has to be watched all the same. */
  reasons: string[];
}

/** Real: Postgres, Redis, both apps, ffmpeg. The hostile origin is an HTTP server on loopback that lies on purpose. */
describe('streams that cannot be watched', () => {
  let good: FixtureOrigin;
  let vigil: Vigil;
  let admin: Person;
  let goodId: string;
  let origin: HlsOrigin;
  let canary: Canary;
  let clips: ClipDirectory;
  let cases: Case[];

  beforeAll(async () => {
    [origin, canary, clips] = await Promise.all([
      HlsOrigin.start(),
      Canary.start(),
      findFfmpeg().then((ffmpeg) => ClipDirectory.make(ffmpeg)),
    ]);
    const [small, large] = await Promise.all([
      clips.segments('testsrc2=s=320x180:r=10:d=4', 1, 10),
      clips.segments('testsrc2=s=480x270:r=10:d=4', 1, 10),
    ]);
    cases = badStreams(origin, canary.port, { small, large });
    const plan = { photo: photoOfPeople(), photoSeconds: 10, plainSeconds: 0 };
    good = await onAir((ffmpeg, folder) => makeClip(ffmpeg, join(folder, 'clip.mp4'), plan));
    vigil = await Vigil.start({ allow: [good.address, origin.host], env: { CAPTURE_CAPACITY: '40' } });
    admin = await vigil.admin();
    goodId = await vigil.stream(admin, 'the good neighbour', good.url);
    await vigil.startMonitoring(admin, goodId);
    await vigil.status(admin, goodId, (status) => status === 'live');
  }, 120_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (good as FixtureOrigin | undefined)?.end();
    await origin.stop();
    await canary.stop();
    await clips.remove();
  }, 60_000);

  it('says of each what is wrong with it, watches it as soon as it is mended, and does the neighbour no harm', async () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    const outcomes = await Promise.all(cases.map((it) => outcomeOf(it)));
    const wrong = outcomes.filter(({ reason, reasons }) =>
      reasons.length === 0 ? reason !== 'live' : !reasons.includes(reason),
    );
    expect(wrong).toEqual([]);
    const recoveries = outcomes.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
    expect(recoveries.length).toBeGreaterThanOrEqual(10);
    const figures = {
      cases: cases.length,
      mended: recoveries.length,
      slowestRecoveryMs: Math.round(recoveries.at(-1) ?? 0),
    };
    process.stderr.write(`${JSON.stringify({ ...figures, forbidden: canary.connections })}\n`);
    expect(canary.connections).toBe(0);
    // Without a budget the playlist that names itself alone makes some 7,000 requests a second.
    expect(origin.requests.length).toBeLessThan(5_000);
    const { status } = await vigil.status(admin, goodId, () => true);
    expect(status).toBe('live');
    expect(vigil.monitor.pid).not.toBeNull();
  }, 240_000);

  /** Watches a bad stream until something is said of it, mends its origin, and waits until it is watched. */
  async function outcomeOf(
    it: Case,
  ): Promise<{ title: string; reason: string; reasons: string[]; recoveredMs?: number }> {
    const { title, url, reasons } = it;
    const id = await vigil.stream(admin, title, url);
    await vigil.startMonitoring(admin, id);
    const said = (status: string, reason: string | null): boolean =>
      status === 'live' || (reason !== null && reason !== 'no_monitor');
    const { status, reason, detail } = await vigil.status(admin, id, said, 90_000);
    const outcome = {
      title,
      reason: status === 'live' ? 'live' : detail === '' ? 'no detail' : (reason ?? ''),
      reasons,
    };
    if (status === 'live' || !url.startsWith(origin.url('/'))) {
      await vigil.stopMonitoring(admin, id);
      return outcome;
    }
    origin.redirect(new URL(url).pathname, good.url);
    const from = performance.now();
    await vigil.status(admin, id, (now) => now === 'live', 120_000);
    const recoveredMs = performance.now() - from;
    await vigil.stopMonitoring(admin, id);
    return { ...outcome, recoveredMs };
  }
});

/** Every way; each at a path of its own, so that it can be mended by itself. */
function badStreams(
  origin: HlsOrigin,
  canaryPort: number,
  { small, large }: { small: readonly PreparedSegment[]; large: readonly PreparedSegment[] },
): Case[] {
  const forbidden = `http://127.0.0.1:${canaryPort}`;
  const entry = (uri: string, head = ''): string => mediaPlaylist([{ uri, durationMs: 1_000 }], 0, head, true);
  const child = (uri: string): string => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n${uri}\n`;
  const status = (code: number): string => origin.text(`/${code}.m3u8`, 'no', 'text/plain', code);
  const first = small[0]?.body ?? Buffer.alloc(0);
  origin.bytes('/whole.ts', first);
  origin.bytes('/noise.ts', randomBytes(188 * 200));
  origin.bytes('/cut.ts', first.subarray(0, 188));
  origin.bytes('/sync.ts', Buffer.alloc(188 * 10, 0x47));
  const noStream = ['not_a_stream', 'stalled', 'unreachable', 'network'];
  const refused = ['refused_address'];
  const at = (title: string, url: string, reasons: string[]): Case => ({ title, url, reasons });
  return [
    at('an unknown host', 'http://no-such-host.invalid/live.m3u8', ['unknown_host']),
    at('a private address', `${forbidden}/x`, refused),
    at('a file', 'file:///etc/passwd', ['unsupported_scheme', 'refused_address']),
    at('a 404', status(404), ['not_found']),
    at('a 410', status(410), ['not_found']),
    at('a 403', status(403), ['forbidden']),
    at('a page that is no stream', origin.text('/page', '<html><title>hello</title></html>', 'text/html'), [
      'not_a_stream',
    ]),
    at('a redirect without end', origin.redirect('/loop.m3u8', '/loop.m3u8'), ['unreachable']),
    at('a redirect to a private address', origin.redirect('/inside.m3u8', `${forbidden}/live.m3u8`), refused),
    at('a private address in a segment', origin.text('/segment.m3u8', entry(`${forbidden}/a.ts`)), refused),
    at('a file in a segment', origin.text('/file.m3u8', entry('file:///etc/passwd')), [
      'refused_address',
      'not_a_stream',
    ]),
    at(
      'a private address as key',
      origin.text('/key.m3u8', entry('/whole.ts', `#EXT-X-KEY:METHOD=AES-128,URI="${forbidden}/key"`)),
      refused,
    ),
    at(
      'a private address as map',
      origin.text('/map.m3u8', entry('/whole.ts', `#EXT-X-MAP:URI="${forbidden}/m.mp4"`)),
      refused,
    ),
    at('a private address as child playlist', origin.text('/child.m3u8', child(`${forbidden}/child.m3u8`)), refused),
    at('a playlist that names itself', origin.selfReferencing('/self.m3u8'), ['budget_exceeded', ...noStream]),
    at('a playlist that is its own segment', origin.selfSegment('/own.m3u8'), ['budget_exceeded', ...noStream]),
    at('a playlist without end', origin.endlessPlaylist('/endless.m3u8'), ['budget_exceeded', ...noStream]),
    at('gzip that nobody asked for', origin.gzipBomb('/bomb.m3u8'), ['not_a_stream']),
    at('an origin that never answers', origin.hang('/hang.m3u8'), noStream),
    at('one byte a second', origin.drip('/drip.m3u8'), noStream),
    at('segments of noise', origin.text('/noise.m3u8', entry('/noise.ts')), noStream),
    at('segments that are cut off', origin.text('/cut.m3u8', entry('/cut.ts')), noStream),
    at('segments of empty packets', origin.text('/sync.m3u8', entry('/sync.ts')), noStream),
    at('segments that are missing', origin.text('/missing.m3u8', entry('/nothing.ts')), ['not_found', ...noStream]),
    // These are live: what changes under way must not end them.
    at('another size at a discontinuity', origin.live('/sizes', [...small.slice(0, 2), ...large.slice(0, 2)]), []),
    at(
      'time that jumps back',
      origin.live(
        '/jump',
        [small[2], small[0]].flatMap((it) => it ?? []),
      ),
      [],
    ),
  ];
}
