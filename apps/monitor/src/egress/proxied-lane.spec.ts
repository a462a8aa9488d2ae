import { request, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer, type Server } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { ChatSocketServer } from '#libs/testing/chat-socket-server.js';
import { Canary, HlsOrigin, mediaPlaylist } from '#libs/testing/hls-origin.js';
import { HttpProxyServer } from '#libs/testing/proxy-http-server.js';
import { SocksProxyServer } from '#libs/testing/proxy-socks-server.js';
import { createLogger } from '#libs/observability/logger.js';
import { Capture } from '../capture/capture.js';
import { ClipDirectory, TEST_FORMAT } from '../capture/clips.fixture.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import type { EgressLane } from './egress-lane.js';
import { EgressProxy, type EgressOptions } from './egress-proxy.js';
import { ProxyLine } from './proxy-endpoint.js';
import { openProxiedSocket } from './proxied-socket.js';

const SECRET = 'hunter2';
const { cert: CA } = UNTRUSTED_CERTIFICATE;

interface UpstreamProxy {
  accepted: number;
  readonly asked: string[];
  readonly host: string;
  readonly port: number;
  readonly line: string;
  stop(): Promise<void>;
}

/** Every way to write an address that must not be reached. */
const REFUSED = [
  ...['127.0.0.1', 'localhost', 'some.test', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '0.0.0.0', '10.0.0.1'],
  ...['100.64.0.1', '169.254.169.254', '172.16.0.1', '192.168.0.1', '168.63.129.16', '224.0.0.1', '255.255.255.255'],
  ...['[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
  ...['[64:ff9b:1::8.8.8.8]', '[fe80::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]', '[2002:7f00:1::]', '[2001::1]'],
];

/** An https server for `localhost`, whose certificate nobody vouches for unless told. */
async function startSecureOrigin(): Promise<{ server: Server; port: number; names: (string | false)[] }> {
  const names: (string | false)[] = [];
  const server = createTlsServer(UNTRUSTED_CERTIFICATE, (incoming, response) => {
    names.push(('servername' in incoming.socket ? incoming.socket.servername : false) as string | false);
    if (incoming.url === '/hang') return;
    response.end(`secure ${incoming.headers.host ?? ''}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, names };
}

function forward(proxyUrl: string, target: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(proxyUrl);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path: target }, (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject).end();
  });
}

function tunnelStatus(proxyUrl: string, target: string): Promise<string> {
  const { hostname, port } = new URL(proxyUrl);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
    );
    socket.once('data', (data) => {
      resolve(data.toString().split('\r\n')[0] ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

let origin: HlsOrigin;
let secure: Awaited<ReturnType<typeof startSecureOrigin>>;
let canary: Canary;
let egress: EgressProxy | null = null;
const started: EgressProxy[] = [];

beforeAll(async () => {
  [origin, secure, canary] = await Promise.all([HlsOrigin.start(), startSecureOrigin(), Canary.start()]);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((it) => it.stop()));
});
afterAll(async () => {
  secure.server.closeAllConnections();
  await Promise.all([origin.stop(), canary.stop(), new Promise((resolve) => secure.server.close(resolve))]);
});

async function startEgress(lines: readonly string[], options: Partial<EgressOptions> = {}): Promise<EgressProxy> {
  egress = await EgressProxy.start({
    allow: [origin.host, `127.0.0.1:${secure.port}`],
    resolve: () => Promise.resolve(['127.0.0.1']),
    proxies: { endpoints: lines.map((line) => ProxyLine.parse(line)), platforms: new Set(['twitch']), checkUrl: null },
    ...options,
  });
  started.push(egress);
  return egress;
}

const proxied = (from: EgressProxy, streamId = 'a'): Promise<EgressLane> =>
  from.open(streamId, {}, { platform: 'twitch' });

describe('https by a lane without proxies', () => {
  it('is answered when the certificate is vouched for, with the right name and Host', async () => {
    const lane = await (await startEgress([], { ca: CA })).open('a');
    const answer = await lane.fetch(`https://localhost:${secure.port}/`);
    expect(answer).toMatchObject({ status: 200, body: Buffer.from(`secure localhost:${secure.port}`) });
    expect(secure.names.at(-1)).toBe('localhost');
    expect(lane.proxied).toBe(false);
  });

  it('is refused when nobody vouches for the certificate, or it is for another name', async () => {
    const lane = await (await startEgress([])).open('a');
    await expect(lane.fetch(`https://localhost:${secure.port}/`)).rejects.toThrow(/self.signed/i);
    const trusting = await (await startEgress([], { ca: CA })).open('a');
    await expect(trusting.fetch(`https://other.test:${secure.port}/`)).rejects.toThrow(/altnames/i);
    await expect(trusting.fetch(`https://127.0.0.1:${secure.port}/`)).rejects.toThrow(/altnames/i);
  });

  it('ends in time and in order when the server goes silent or the lane is closed', async () => {
    const lane = await (await startEgress([], { ca: CA })).open('a');
    const url = `https://localhost:${secure.port}/hang`;
    await expect(lane.fetch(url, { timeoutMs: 200 })).rejects.toMatchObject({ reason: 'stalled' });
    const hanging = expect(lane.fetch(url)).rejects.toMatchObject({ reason: 'unreachable' });
    await lane.fetch(`https://localhost:${secure.port}/`);
    await lane.close();
    await hanging;
  });
});

describe.each([
  ['an http proxy', () => HttpProxyServer.start(`user:${SECRET}`)],
  ['a SOCKS5 proxy', () => SocksProxyServer.start(`user:${SECRET}`)],
] as const)('a lane through %s', (_name, start: () => Promise<UpstreamProxy>) => {
  let upstream: UpstreamProxy;

  beforeEach(async () => {
    upstream = await start();
  });
  afterEach(() => upstream.stop());

  it('fetches, http and https, and forwards for a player; the proxy hears addresses alone', async () => {
    const lane = await proxied(await startEgress([upstream.line], { ca: CA }));
    const hosts: (string | undefined)[] = [];
    origin.on('/host', (incoming, response) => {
      hosts.push(incoming.headers.host);
      response.end('plain');
    });
    const port = new URL(origin.url('/')).port;
    expect((await lane.fetch(`http://named.test:${port}/host`)).body.toString()).toBe('plain');
    expect(await forward(lane.proxyUrl, `http://other.test:${port}/host`)).toEqual({ status: 200, body: 'plain' });
    expect(hosts).toEqual([`named.test:${port}`, `other.test:${port}`]);
    const answer = await lane.fetch(`https://localhost:${secure.port}/`);
    expect(answer.body.toString()).toBe(`secure localhost:${secure.port}`);
    expect(secure.names.at(-1)).toBe('localhost');
    expect(await tunnelStatus(lane.proxyUrl, `some.test:${port}`)).toBe('HTTP/1.1 200 Connection established');
    expect(upstream.asked).toEqual([origin.host, origin.host, `127.0.0.1:${secure.port}`, origin.host]);
    expect(egress?.proxies).toEqual([
      {
        name: `#1 ${upstream.host}`,
        state: 'healthy',
        successes: 4,
        failures: 0,
        ...{ lastError: null, benchedUntil: null, streams: 1 },
      },
    ]);
    await lane.close();
    expect(egress?.proxies[0]?.streams).toBe(0);
  });

  it('refuses a certificate that nobody vouches for', async () => {
    const lane = await proxied(await startEgress([upstream.line]));
    await expect(lane.fetch(`https://localhost:${secure.port}/`)).rejects.toThrow(/self.signed/i);
    expect(upstream.asked).toHaveLength(1);
    expect(egress?.proxies[0]).toMatchObject({ state: 'healthy' });
  });

  it('carries bodies of any length whole', async () => {
    const body = Buffer.from(Array.from({ length: 700_000 }, (_, index) => index % 251));
    origin.bytes('/long', body);
    const lane = await proxied(await startEgress([upstream.line]));
    expect((await lane.fetch(origin.url('/long'), { maxBytes: 1e6 })).body.equals(body)).toBe(true);
  });

  it('carries chat', async () => {
    const [plain, wss] = await Promise.all([ChatSocketServer.start(), ChatSocketServer.start(UNTRUSTED_CERTIFICATE)]);
    for (const server of [plain, wss]) server.onText = (text, socket) => socket.send(`echo ${text}`);
    // The server speaks first.
    for (const server of [plain, wss]) server.onOpen = (socket) => socket.send('welcome');
    const lane = await proxied(await startEgress([upstream.line], { allow: [plain.host, wss.host] }));
    for (const url of [`ws://${plain.host}/`, `wss://localhost:${wss.port}/`]) {
      const options = { proxyUrl: lane.proxyUrl, maxPayloadBytes: 1_000, handshakeTimeoutMs: 5_000, ca: CA };
      const socket = openProxiedSocket(url, options);
      const heard: string[] = [];
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('open', () => socket.send('hello'));
        socket.on('message', (data: Buffer) => {
          if (heard.push(data.toString()) === 2) resolve();
        });
      });
      expect(heard.sort()).toEqual(['echo hello', 'welcome']);
      socket.terminate();
    }
    expect(upstream.asked).toEqual([plain.host, wss.host]);
    await lane.close();
    await Promise.all([plain.stop(), wss.stop()]);
  });

  it('plays HLS for ffmpeg, every request through the proxy', async () => {
    const ffmpegPath = await findFfmpeg();
    const clips = await ClipDirectory.make(ffmpegPath);
    try {
      const segments = await clips.segments('testsrc2=s=320x180:r=10:d=4', 1, 10);
      const url = origin.live(`/live-${upstream.port}`, segments);
      const lane = await proxied(await startEgress([upstream.line]));
      const seenBefore = origin.requests.length;
      const capture = new Capture({
        ...{ ffmpegPath, format: TEST_FORMAT, sampleIntervalMs: 100, decode: 'keyframes' as const },
        playback: { url, headers: {}, pace: 'live', expiresAt: null, container: 'hls' },
        ...{ proxyUrl: lane.proxyUrl, stallMs: 20_000, killGraceMs: 300, fault: () => lane.lastFault() },
      });
      let frames = 0;
      for await (const frame of capture.frames(new AbortController().signal)) {
        frames = frame.index + 1;
        if (frames === 3) break;
      }
      expect(frames).toBe(3);
      const requests = origin.requests.length - seenBefore;
      expect(requests).toBeGreaterThanOrEqual(3);
      expect(upstream.asked.length).toBeGreaterThanOrEqual(requests);
      expect(new Set(upstream.asked)).toEqual(new Set([origin.host]));
      await lane.close();
    } finally {
      await clips.remove();
    }
  }, 40_000);

  it('asks neither proxy nor canary for a refused address, however it is written', async () => {
    const lane = await proxied(await startEgress([upstream.line], { limits: { requestBurst: 1_000 } }));
    for (const host of REFUSED) {
      const target = `${host}:${canary.port}`;
      await expect(lane.fetch(`http://${target}/`)).rejects.toMatchObject({ reason: 'refused_address' });
      await expect(lane.fetch(`https://${target}/`)).rejects.toMatchObject({ reason: 'refused_address' });
      expect((await forward(lane.proxyUrl, `http://${target}/`)).status).toBe(403);
      expect(await tunnelStatus(lane.proxyUrl, target)).toBe('HTTP/1.1 403 Forbidden');
    }
    await expect(lane.fetch('http://93.184.216.34:22/')).rejects.toMatchObject({ reason: 'refused_address' });
    const away = origin.redirect('/inside', `http://127.0.0.1:${canary.port}/`);
    await expect(lane.fetch(away)).rejects.toMatchObject({ reason: 'refused_address' });
    expect(upstream.asked).toEqual([origin.host]);
    expect(upstream.accepted).toBe(1);
    expect(canary.connections).toBe(0);
  });

  it('never lets a stream talk to the proxy itself, even where EGRESS_ALLOW names it', async () => {
    const from = await startEgress([upstream.line], { allow: [origin.host, upstream.host] });
    origin.redirect('/to-proxy', `http://${upstream.host}/`);
    const playlist = origin.text(
      '/list.m3u8',
      mediaPlaylist([{ uri: `http://${upstream.host}/x.ts`, durationMs: 1_000 }], 0),
    );
    for (const lane of [await proxied(from), await from.open('direct')]) {
      for (const host of ['127.0.0.1', 'localhost', 'proxy.test', '2130706433']) {
        const url = `http://${host}:${upstream.port}/`;
        await expect(lane.fetch(url)).rejects.toMatchObject({ reason: 'refused_address' });
        expect((await forward(lane.proxyUrl, url)).status).toBe(403);
        expect(await tunnelStatus(lane.proxyUrl, `${host}:${upstream.port}`)).toBe('HTTP/1.1 403 Forbidden');
      }
      await expect(lane.fetch(origin.url('/to-proxy'))).rejects.toMatchObject({ reason: 'refused_address' });
      // What a player does with the segment of this playlist is the forward request above.
      expect((await lane.fetch(playlist)).body.toString()).toContain(upstream.host);
    }
    expect(new Set(upstream.asked)).toEqual(new Set([origin.host]));
  });

  it('pins a name for the whole request, and checks it anew for the next', async () => {
    let lookups = 0;
    const port = Number(new URL(origin.url('/')).port);
    origin.text('/pin', 'x');
    const from = await startEgress([upstream.line], {
      allow: [origin.host],
      resolve: () => Promise.resolve([(lookups += 1) === 1 ? '127.0.0.1' : '127.0.0.2']),
    });
    const lane = await proxied(from);
    expect((await lane.fetch(`http://rebind.test:${port}/pin`)).status).toBe(200);
    expect(lookups).toBe(1);
    await expect(lane.fetch(`http://rebind.test:${port}/pin`)).rejects.toMatchObject({ reason: 'refused_address' });
    expect(upstream.asked).toEqual([`127.0.0.1:${port}`]);
  });

  it('fails clearly and does not go out directly when the proxy is gone; its secrets are nowhere to be read', async () => {
    const from = await startEgress([upstream.line], {
      allow: [`127.0.0.1:${canary.port}`, origin.host],
      random: () => 1,
    });
    const lane = await proxied(from);
    await lane.fetch(origin.text('/up', 'x'));
    await upstream.stop();
    const url = `http://127.0.0.1:${canary.port}/`;
    const said: unknown[] = [];
    for (let tries = 0; tries < 3; tries += 1) said.push(await lane.fetch(url).catch((error: unknown) => error));
    expect(said[0]).toMatchObject({ reason: 'unreachable' });
    expect(String(said[0])).toContain(`#1 ${upstream.host}: the proxy cannot be reached (ECONNREFUSED)`);
    expect(said.map(String).join()).toContain('All 1 upstream proxies are benched after failures');
    expect(await forward(lane.proxyUrl, url)).toMatchObject({ status: 502 });
    expect(await tunnelStatus(lane.proxyUrl, `127.0.0.1:${canary.port}`)).toBe('HTTP/1.1 502 Bad Gateway');
    await expect(lane.pin('127.0.0.1', canary.port)).rejects.toMatchObject({ reason: 'unsupported_scheme' });
    expect(canary.connections).toBe(0);
    expect(from.proxies[0]).toMatchObject({ state: 'benched' });

    let written = '';
    const logger = createLogger('test', 'trace', { write: (line) => (written += line) });
    logger.error(
      { errors: said, err: said[0], error: said[1], fault: lane.lastFault(), proxies: from.proxies, from, lane },
      'x',
    );
    const { inspect } = await import('node:util');
    written += inspect([said, lane, from], { depth: 12, showHidden: true });
    expect(written).toContain(upstream.host);
    expect(written).not.toContain(SECRET);
    expect(written).not.toContain(Buffer.from(`user:${SECRET}`).toString('base64'));
  });

  it('is for platforms that were opted in; others go out directly', async () => {
    const from = await startEgress([upstream.line]);
    origin.text('/opt', 'x');
    for (const lane of [await from.open('a'), await from.open('b', {}, { platform: 'url' })]) {
      expect((await lane.fetch(origin.url('/opt'))).status).toBe(200);
    }
    expect(upstream.accepted).toBe(0);
    expect((await (await proxied(from)).fetch(origin.url('/opt'))).status).toBe(200);
    expect(upstream.accepted).toBe(1);
  });
});

describe('a lane through an https proxy', () => {
  it('verifies the proxy and what lies behind it', async () => {
    const upstream = await HttpProxyServer.start(undefined, UNTRUSTED_CERTIFICATE);
    const line = `https://localhost:${upstream.port}`;
    const trusting = await startEgress([line], { ca: CA });
    const url = `https://localhost:${secure.port}/`;
    expect((await (await proxied(trusting)).fetch(url)).status).toBe(200);
    expect((await (await proxied(trusting)).fetch(origin.text('/tls', 'x'))).status).toBe(200);
    await trusting.stop();
    const wary = await startEgress([line]);
    await expect((await proxied(wary)).fetch(url)).rejects.toThrow(
      'the TLS of the proxy failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    expect(upstream.asked).toEqual([`127.0.0.1:${secure.port}`, origin.host]);
    await upstream.stop();
  });
});
