import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Canary, HlsOrigin } from '#libs/testing/hls-origin.js';
import { REFUSED_HOSTS, plantedResolver } from '#libs/testing/refused-hosts.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { EgressProxy } from '../egress/egress-proxy.js';

const HEAD = '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n';
/** What may stand in a header, a request line or a playlist as it is. */
const ASCII = /^[\x21-\x7e]+$/;
const LIMITS = { requestsPerSecond: 10_000, requestBurst: 10_000, connectTimeoutMs: 300 };

/** Every place where an origin, or whoever adds a stream, may name a host; webhooks have a spec of their own. */
describe('no host that is refused is reached', () => {
  let ffmpeg: string;
  let origin: HlsOrigin;
  let canary: Canary;
  let proxy: EgressProxy;
  let lane: EgressLane;
  let tried = 0;

  beforeAll(async () => {
    [ffmpeg, origin, canary] = await Promise.all([findFfmpeg(), HlsOrigin.start(), Canary.start()]);
    origin.bytes('/good.ts', Buffer.alloc(188 * 20, 0x47));
  });
  beforeEach(async () => {
    proxy = await EgressProxy.start({ allow: [origin.host], resolve: plantedResolver, limits: LIMITS });
    lane = await proxy.open('stream');
  });
  afterEach(async () => {
    await proxy.stop();
    expect(canary.connections).toBe(0);
  });
  afterAll(async () => {
    await origin.stop();
    await canary.stop();
    process.stderr.write(`${JSON.stringify({ hosts: REFUSED_HOSTS.length, tried, reached: canary.connections })}\n`);
  });

  const play = async (path: string, entries: string): Promise<void> => {
    const playlist = origin.text(path, `${HEAD}${entries}#EXT-X-ENDLIST\n`);
    const args = ['-v', 'quiet', '-nostdin', '-http_proxy', lane.proxyUrl, '-rw_timeout', '2000000'];
    const child = spawn(ffmpeg, [...args, '-i', playlist, '-t', '1', '-f', 'null', '-'], { stdio: 'ignore' });
    await once(child, 'exit');
  };
  const forbidden = (host: string, path = '/x.ts'): string => `http://${host}:${canary.port}${path}`;
  const refusedOf = async (attempts: readonly Promise<unknown>[]): Promise<number> => {
    tried += attempts.length;
    return (await Promise.allSettled(attempts)).filter(({ status }) => status === 'rejected').length;
  };

  it('has at least sixty forms', () => {
    expect(new Set(REFUSED_HOSTS).size).toBe(REFUSED_HOSTS.length);
    expect(REFUSED_HOSTS.length).toBeGreaterThanOrEqual(60);
  });

  it('as a stream', async () => {
    const platform = new UrlPlatform(false);
    const { signal } = new AbortController();
    const attempts = REFUSED_HOSTS.map(async (host) => platform.resolve(forbidden(host, '/a.m3u8'), signal, lane));
    expect(await refusedOf(attempts)).toBe(REFUSED_HOSTS.length);
  });

  it('through the proxy, in the open and by a tunnel', async () => {
    const { hostname, port } = new URL(lane.proxyUrl);
    const statusOf = async (path: string): Promise<number> => {
      const outgoing = request({ hostname, port, path }).end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode ?? 0;
    };
    const tunnelStatusOf = async (host: string): Promise<number> => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.write(`CONNECT ${host}:${canary.port} HTTP/1.1\r\n\r\n`);
      // What is no line of HTTP is not answered at all.
      const answer = await new Promise<string>((resolve) => {
        socket.once('data', (data: Buffer) => resolve(data.toString())).once('close', () => resolve(''));
      });
      socket.destroy();
      return Number(answer.split(' ')[1] ?? 0);
    };
    for (const host of REFUSED_HOSTS) {
      tried += 2;
      // What node's own client cannot write into a request line cannot come from a player either.
      if (ASCII.test(host)) expect([host, await statusOf(forbidden(host))]).not.toEqual([host, 200]);
      expect([host, await tunnelStatusOf(host)]).not.toEqual([host, 200]);
    }
  });

  it('as the end of a redirect', async () => {
    const attempts = REFUSED_HOSTS.map(async (host, index) => {
      const location = ASCII.test(host) ? forbidden(host) : new URL(forbidden(host)).href;
      return lane.fetch(origin.redirect(`/redirect${index}`, location));
    });
    expect(await refusedOf(attempts)).toBe(REFUSED_HOSTS.length);
  });

  it.each<[string, (host: string, index: number) => string]>([
    ['segments', (host) => `#EXTINF:1,\n${forbidden(host)}\n`],
    ['segments that redirect', (host, index) => `#EXTINF:1,\n${origin.redirect(`/hop${index}.ts`, forbidden(host))}\n`],
    ['keys', (host) => `#EXT-X-KEY:METHOD=AES-128,URI="${forbidden(host, '/key')}"\n#EXTINF:1,\n/good.ts\n`],
    ['child playlists', (host) => `#EXT-X-STREAM-INF:BANDWIDTH=1000\n${forbidden(host, '/child.m3u8')}\n`],
  ])(
    'as %s of a playlist that ffmpeg plays',
    async (place, entry) => {
      const hosts = REFUSED_HOSTS.filter((host) => ASCII.test(host));
      // ffmpeg goes on to the next of these when one cannot be had.
      await play(`/${place.replaceAll(' ', '-')}.m3u8`, hosts.map(entry).join(''));
      tried += hosts.length;
      // Not every form gets past ffmpeg's own parser; those that do were refused here.
      expect(proxy.stats.refused).toBeGreaterThan(hosts.length / 2);
    },
    120_000,
  );

  it('as maps of playlists that ffmpeg plays', async () => {
    const hosts = REFUSED_HOSTS.filter((host) => ASCII.test(host));
    // It gives up at the first map that cannot be had: a playlist for each.
    const queue = [...hosts.entries()];
    const player = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const map = `#EXT-X-MAP:URI="${forbidden(next[1], '/map.mp4')}"`;
        await play(`/map${next[0]}.m3u8`, `${map}\n#EXTINF:1,\n/good.ts\n`);
        tried += 1;
      }
    };
    await Promise.all(Array.from({ length: 4 }, player));
    expect(proxy.stats.refused).toBeGreaterThan(hosts.length / 2);
  }, 120_000);
});
