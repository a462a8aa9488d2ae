import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Canary, HlsOrigin } from '#libs/testing/hls-origin.js';
import { NameServer } from '#libs/testing/name-server.js';
import { HttpProxyServer } from '#libs/testing/proxy-http-server.js';
import { treacherousNames } from '#libs/testing/refused-hosts.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { ProxyLine } from '../egress/proxy-endpoint.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import { findFfmpeg } from './ffmpeg-binary.js';

const HEAD = '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n';
const LIMITS = { requestsPerSecond: 10_000, requestBurst: 10_000, connectTimeoutMs: 300 };
/** What may be reached and what may not: two addresses of loopback, with a listener at the same port of both. */
const [OPEN, FORBIDDEN] = ['127.0.0.2', '127.0.0.1'];
const NAMES = Object.keys(treacherousNames(OPEN, FORBIDDEN));
/** How often each name is asked for in each place: the first answers are good, later ones are not. */
const TRIES = 4;

/**
 * Real: a name server over UDP, an origin and a listener that must hear nothing, an upstream proxy, ffmpeg. The way out
 * asks that name server as it asks the machine's otherwise; webhooks have a spec of their own.
 */
describe('a name server that lies', () => {
  let ffmpeg: string;
  let origin: HlsOrigin;
  let canary: Canary;
  let upstream: HttpProxyServer;
  let names: NameServer;
  let egress: EgressProxy;
  let lane: EgressLane;
  let port: number;

  beforeAll(async () => {
    [ffmpeg, origin, upstream] = await Promise.all([findFfmpeg(), HlsOrigin.start(OPEN), HttpProxyServer.start()]);
    port = Number(new URL(origin.url('/')).port);
    canary = await Canary.start(port);
    origin.bytes('/good.ts', Buffer.alloc(188 * 20, 0x47));
    origin.text('/x.m3u8', `${HEAD}#EXTINF:1,\n/good.ts\n#EXT-X-ENDLIST\n`);
    for (const path of ['/x', '/x.ts', '/key']) origin.text(path, '0123456789abcdef', 'text/plain');
  });
  beforeEach(async () => {
    names = await NameServer.start(treacherousNames(OPEN, FORBIDDEN));
    egress = await EgressProxy.start({
      ...{ allow: [origin.host, upstream.host], resolve: names.resolve, limits: LIMITS },
      proxies: { endpoints: [ProxyLine.parse(upstream.line)], platforms: new Set(['proxied']), checkUrl: null },
    });
    lane = await egress.open('stream');
    origin.requests.length = 0;
  });
  afterEach(async () => {
    expect(canary.connections).toBe(0);
    for (const name of NAMES) expect(names.questions.join()).toContain(name);
    expect(egress.stats.refused).toBeGreaterThanOrEqual(NAMES.length);
    await egress.stop();
    await names.stop();
  });
  afterAll(async () => {
    await Promise.all([origin.stop(), canary.stop(), upstream.stop()]);
  });

  const at = (host: string, path: string): string => `http://${host}:${port}${path}`;
  /** What came of trying each name a few times in a row: how often it was let through. */
  async function passes(attempt: (host: string) => Promise<unknown>): Promise<Record<string, number>> {
    const counts = await Promise.all(
      NAMES.map(async (name) => {
        let passed = 0;
        for (let tried = 0; tried < TRIES; tried += 1) {
          passed += await attempt(name).then(
            () => 1,
            () => 0,
          );
        }
        return [name, passed] as const;
      }),
    );
    return Object.fromEntries(counts.filter(([, passed]) => passed > 0));
  }
  /** Once each where the first answer alone is good, every other time where they take turns, else never. */
  const AS_ANSWERED = { 'rebind.test': 1, 'flip.test': TRIES / 2, 'late-alias.test': 1, 'late-mixed.test': 1 };

  it('as a stream', async () => {
    const platform = new UrlPlatform(false);
    const { signal } = new AbortController();
    expect(await passes((host) => platform.resolve(at(host, '/x.m3u8'), signal, lane))).toEqual(AS_ANSWERED);
    expect(origin.requests).toHaveLength(5);
  });

  it('as a stream that does not go through the proxy', async () => {
    const pinned = new Set<string>();
    const pass = await passes(async (host) => pinned.add(await lane.pin(host, port)));
    expect(pass).toEqual(AS_ANSWERED);
    expect([...pinned]).toEqual([OPEN]);
  });

  it('through the proxy, in the open', async () => {
    const proxy = new URL(lane.proxyUrl);
    const get = async (host: string): Promise<void> => {
      const outgoing = request({ hostname: proxy.hostname, port: proxy.port, path: at(host, '/x') }).end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      response.resume();
      if (response.statusCode !== 200) throw new Error(String(response.statusCode));
    };
    expect(await passes(get)).toEqual(AS_ANSWERED);
    expect(origin.requests).toHaveLength(5);
  });

  it('through the proxy, by a tunnel', async () => {
    const proxy = new URL(lane.proxyUrl);
    const tunnel = async (host: string): Promise<void> => {
      const socket = connect({ host: proxy.hostname, port: Number(proxy.port) });
      socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(answer.toString());
    };
    expect(await passes(tunnel)).toEqual(AS_ANSWERED);
  });

  it('through an upstream proxy, which is told addresses alone', async () => {
    const proxied = await egress.open('proxied', {}, { platform: 'proxied' });
    expect(await passes((host) => proxied.fetch(at(host, '/x')))).toEqual(AS_ANSWERED);
    expect(new Set(upstream.asked)).toEqual(new Set([origin.host]));
    expect(origin.requests).toHaveLength(5);
  });

  it('as the end of a redirect', async () => {
    const follow = (host: string): Promise<unknown> => lane.fetch(origin.redirect(`/to-${host}`, at(host, '/x')));
    expect(await passes(follow)).toEqual(AS_ANSWERED);
  });

  it.each<[string, (host: string, index: number) => string]>([
    ['segment', (host) => `#EXTINF:1,\n${at(host, '/x.ts')}\n`],
    [
      'segment that redirects',
      (host, index) => `#EXTINF:1,\n${origin.redirect(`/hop${index}.ts`, at(host, '/x.ts'))}\n`,
    ],
    ['key', (host, index) => `#EXT-X-KEY:METHOD=AES-128,URI="${at(host, `/key?${index}`)}"\n#EXTINF:1,\n/good.ts\n`],
    ['child playlist', (host, index) => `#EXT-X-STREAM-INF:BANDWIDTH=1000\n${at(host, `/x.m3u8?${index}`)}\n`],
  ])(
    'as a %s that ffmpeg asks for',
    async (place, entry) => {
      const hosts = Array.from({ length: TRIES }, () => NAMES).flat();
      const entries = hosts.map((host, index) => entry(`${place.replaceAll(' ', '-')}.${host}`, index));
      await play(`/${place.replaceAll(' ', '-')}.m3u8`, entries.join(''));
      // It asks one after the other, and the first answers are good.
      expect(origin.requests.filter((path) => /^\/(x|key)/.test(path)).length).toBeGreaterThanOrEqual(4);
    },
    60_000,
  );

  it('as a map that ffmpeg asks for', async () => {
    // It gives up at the first map that cannot be had: a playlist for each.
    const maps = [
      ...Array.from({ length: 2 }, () => NAMES)
        .flat()
        .entries(),
    ];
    const player = async (): Promise<void> => {
      for (let next = maps.shift(); next !== undefined; next = maps.shift()) {
        const map = `#EXT-X-MAP:URI="${at(`map.${next[1]}`, '/x')}"`;
        await play(`/map${next[0]}.m3u8`, `${map}\n#EXTINF:1,\n/good.ts\n`);
      }
    };
    await Promise.all(Array.from({ length: 3 }, player));
    expect(origin.requests.filter((path) => path === '/x').length).toBeGreaterThanOrEqual(4);
  }, 60_000);

  async function play(path: string, entries: string): Promise<void> {
    const playlist = origin.text(path, `${HEAD}${entries}#EXT-X-ENDLIST\n`);
    const args = ['-v', 'quiet', '-nostdin', '-http_proxy', lane.proxyUrl, '-rw_timeout', '2000000'];
    const child = spawn(ffmpeg, [...args, '-i', playlist, '-t', '1', '-f', 'null', '-'], { stdio: 'ignore' });
    await once(child, 'exit');
  }
});
