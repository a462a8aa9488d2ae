import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeClip, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, type Person } from './vigil.js';

/** Real: Postgres, Redis, both apps, ffmpeg. The hostile origin is an HTTP server on loopback that lies on purpose. */
describe('streams that cannot be watched', () => {
  let good: FixtureOrigin;
  let vigil: Vigil;
  let admin: Person;
  let goodId: string;
  /** Connections to an address that no stream may reach. */
  let trespasses = 0;
  const canary = createTcpServer((socket) => {
    trespasses += 1;
    socket.destroy();
  });
  let requests = 0;
  const hostile = createServer((request, response) => {
    requests += 1;
    const forbidden = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
    const playlist = (...lines: string[]): void => {
      response.setHeader('content-type', 'application/vnd.apple.mpegurl');
      response.end(['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', ...lines, ''].join('\n'));
    };
    const answers: Record<string, () => void> = {
      '/404.m3u8': () => response.writeHead(404).end(),
      '/403.m3u8': () => response.writeHead(403).end(),
      '/page': () => response.setHeader('content-type', 'text/html').end('<html><title>hello</title></html>'),
      '/segment.m3u8': () => playlist('#EXTINF:2,', `${forbidden}/a.ts`),
      '/file-segment.m3u8': () => playlist('#EXTINF:2,', 'file:///etc/passwd'),
      '/key.m3u8': () => playlist(`#EXT-X-KEY:METHOD=AES-128,URI="${forbidden}/key"`, '#EXTINF:2,', 'a.ts'),
      '/child.m3u8': () => playlist('#EXT-X-STREAM-INF:BANDWIDTH=1', `${forbidden}/child.m3u8`),
      '/redirect.m3u8': () => response.writeHead(302, { location: `${forbidden}/live.m3u8` }).end(),
      '/self.m3u8': () => playlist('#EXTINF:2,', 'self.m3u8'),
      '/a.ts': () => response.end(Buffer.alloc(188 * 10, 0x47)),
    };
    (answers[request.url ?? ''] ?? answers['/404.m3u8'])?.();
  });

  beforeAll(async () => {
    for (const server of [canary, hostile]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const plan = { photo: photoOfPeople(), photoSeconds: 10, plainSeconds: 0 };
    good = await onAir((ffmpeg, folder) => makeClip(ffmpeg, join(folder, 'clip.mp4'), plan));
    const allow = [good.address, `127.0.0.1:${(hostile.address() as AddressInfo).port}`];
    vigil = await Vigil.start({ allow });
    admin = await vigil.admin();
    goodId = await vigil.stream(admin, 'the good neighbour', good.url);
    await vigil.startMonitoring(admin, goodId);
    await vigil.status(admin, goodId, (status) => status === 'live');
  }, 120_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (good as FixtureOrigin | undefined)?.end();
    for (const server of [canary, hostile]) server.close();
  }, 60_000);

  const at = (path: string): string => `http://127.0.0.1:${(hostile.address() as AddressInfo).port}${path}`;
  it.each<[string, () => string, string[]]>([
    ['an unknown host', () => 'http://no-such-host.invalid/live.m3u8', ['unknown_host']],
    ['a 404', () => at('/404.m3u8'), ['not_found']],
    ['a 403', () => at('/403.m3u8'), ['forbidden']],
    ['a page that is no stream', () => at('/page'), ['not_a_stream']],
    ['a playlist that names itself', () => at('/self.m3u8'), ['budget_exceeded', 'not_a_stream', 'stalled']],
    ['a file', () => 'file:///etc/passwd', ['unsupported_scheme', 'refused_address']],
    ['a private address', () => `http://127.0.0.1:${(canary.address() as AddressInfo).port}/x`, ['refused_address']],
    ['a private address in a segment', () => at('/segment.m3u8'), ['refused_address']],
    ['a file in a segment', () => at('/file-segment.m3u8'), ['refused_address', 'not_a_stream']],
    ['a private address as key', () => at('/key.m3u8'), ['refused_address']],
    ['a private address as child playlist', () => at('/child.m3u8'), ['refused_address']],
    ['a redirect to a private address', () => at('/redirect.m3u8'), ['refused_address']],
  ])(
    'says so of %s',
    async (name, url, reasons) => {
      const id = await vigil.stream(admin, name, url());
      await vigil.startMonitoring(admin, id);
      const status = await vigil.status(admin, id, (_, reason) => reason !== null && reason !== 'no_monitor', 40_000);
      expect(reasons).toContain(status.reason);
      expect(status.detail).not.toBe('');
      await vigil.stopMonitoring(admin, id);
    },
    60_000,
  );

  it('sends nothing to a refused address and does the neighbour no harm', async () => {
    expect(trespasses).toBe(0);
    // Without a budget the playlist that names itself alone makes some 7,000 requests a second.
    expect(requests).toBeLessThan(5_000);
    process.stderr.write(`${requests} requests reached the hostile origin, ${trespasses} the forbidden address\n`);
    const { status } = await vigil.status(admin, goodId, () => true);
    expect(status).toBe('live');
    expect(vigil.monitor.pid).not.toBeNull();
  });
});
