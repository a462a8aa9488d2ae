import { UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { ChatSocketServer } from '#libs/testing/chat-socket-server.js';
import { Canary } from '#libs/testing/hls-origin.js';
import type { WebSocket } from 'ws';
import type { EgressLane } from './egress-lane.js';
import { EgressProxy } from './egress-proxy.js';
import { openProxiedSocket, type ProxiedSocketOptions } from './proxied-socket.js';

function outcome(socket: WebSocket): Promise<Error | 'open'> {
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('open', () => resolve('open'));
  });
}

describe('a proxied WebSocket', () => {
  let plain: ChatSocketServer;
  let secure: ChatSocketServer;
  let canary: Canary;
  let proxy: EgressProxy;
  let lane: EgressLane;
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    [plain, secure, canary] = await Promise.all([
      ChatSocketServer.start(),
      ChatSocketServer.start(UNTRUSTED_CERTIFICATE),
      Canary.start(),
    ]);
    for (const server of [plain, secure]) server.onText = (text, socket) => socket.send(`echo ${text}`);
    proxy = await EgressProxy.start({
      allow: [plain.host, secure.host],
      resolve: () => Promise.resolve(['127.0.0.1']),
    });
  });
  beforeEach(async () => {
    lane = await proxy.open('a');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.on('error', () => undefined).terminate();
    await lane.close();
  });
  afterAll(async () => {
    await Promise.all([proxy.stop(), plain.stop(), secure.stop(), canary.stop()]);
  });

  function open(url: string, options: Partial<ProxiedSocketOptions> = {}): WebSocket {
    const socket = openProxiedSocket(url, {
      ...{ proxyUrl: lane.proxyUrl, maxPayloadBytes: 1_000, handshakeTimeoutMs: 5_000, ...options },
    });
    sockets.push(socket);
    return socket;
  }

  function echo(socket: WebSocket, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve(data.toString()));
      socket.once('close', () => reject(new Error('closed')));
      socket.send(text);
    });
  }

  it('carries frames over the lane, which counts them', async () => {
    const socket = open(`ws://${plain.host}/`);
    expect(await outcome(socket)).toBe('open');
    expect(await echo(socket, 'hello')).toBe('echo hello');
    expect(lane.stats.requests).toBe(1);
    expect(lane.stats.bytes).toBeGreaterThan('echo hello'.length);
  });

  it('refuses a certificate that nobody vouches for, whatever the environment says', async () => {
    expect(await outcome(open(`wss://localhost:${secure.port}/`))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it('talks to a server whose certificate is vouched for, by its name only', async () => {
    const { cert: ca } = UNTRUSTED_CERTIFICATE;
    const socket = open(`wss://localhost:${secure.port}/`, { ca });
    expect(await outcome(socket)).toBe('open');
    expect(await echo(socket, 'hello')).toBe('echo hello');
    expect(await outcome(open(`wss://other.test:${secure.port}/`, { ca }))).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it.each(['127.0.0.1', 'some.test', '[::1]'])('cannot reach a refused address as %s', async (host) => {
    expect(await outcome(open(`ws://${host}:${canary.port}/`))).toMatchObject({ reason: 'refused_address' });
    expect(await outcome(open(`wss://${host}:${canary.port}/`))).toMatchObject({ reason: 'refused_address' });
    expect(canary.connections).toBe(0);
  });

  it('ends at a frame that is longer than allowed', async () => {
    const socket = open(`ws://${plain.host}/`);
    expect(await outcome(socket)).toBe('open');
    const failed = outcome(socket);
    plain.broadcast('x'.repeat(1_001));
    expect(await failed).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  });

  it('is held to the budget of its lane, which may differ from that of others', async () => {
    const narrow = await proxy.open('b', { requestBurst: 1, requestsPerSecond: 0.001 });
    const url = `ws://${plain.host}/`;
    expect(await outcome(open(url, { proxyUrl: narrow.proxyUrl }))).toBe('open');
    expect(await outcome(open(url, { proxyUrl: narrow.proxyUrl }))).toMatchObject({ reason: 'budget_exceeded' });
    expect(await outcome(open(url))).toBe('open');
    expect(await outcome(open(url))).toBe('open');
    await narrow.close();
  });

  it('fails when the lane is closed', async () => {
    await lane.close();
    expect(await outcome(open(`ws://${plain.host}/`))).toMatchObject({ reason: 'unreachable' });
  });
});
