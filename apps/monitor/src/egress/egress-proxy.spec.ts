import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Canary, HlsOrigin } from '#libs/testing/hls-origin.js';
import { EgressProxy } from './egress-proxy.js';

describe('EgressProxy', () => {
  let origin: HlsOrigin;
  let canary: Canary;
  let proxy: EgressProxy;

  beforeAll(async () => {
    [origin, canary] = await Promise.all([HlsOrigin.start(), Canary.start()]);
  });
  beforeEach(async () => {
    proxy = await EgressProxy.start({
      allow: [origin.host],
      resolve: () => Promise.resolve(['127.0.0.1']),
      limits: { requestsPerSecond: 1, requestBurst: 20, bytesPerSecond: 1e9, playlistBytes: 1_000, headerBytes: 4_096 },
    });
  });
  afterEach(() => proxy.stop());
  afterAll(async () => {
    await origin.stop();
    await canary.stop();
  });

  function through(
    proxyUrl: string,
    target: string,
    headers = {},
    method = 'GET',
  ): Promise<{ status: number; body: string }> {
    const { hostname, port } = new URL(proxyUrl);
    return new Promise((resolve, reject) => {
      const outgoing = request({ hostname, port, path: target, headers, method }, (response: IncomingMessage) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
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

  it('forwards what is allowed, without the headers of the hop', async () => {
    const seen = new Promise<IncomingMessage>((resolve) => {
      origin.on('/seen', (incoming, response) => {
        resolve(incoming);
        response.end('hello');
      });
    });
    const lane = await proxy.open('a');
    const answer = await through(lane.proxyUrl, origin.url('/seen?x=1'), {
      ...{ 'x-kept': '1', 'proxy-authorization': 'secret', connection: 'x-named', 'x-named': '1' },
      'accept-encoding': 'gzip',
    });
    expect(answer).toEqual({ status: 200, body: 'hello' });
    const { headers, url } = await seen;
    expect(url).toBe('/seen?x=1');
    expect(headers).toMatchObject({ 'x-kept': '1', 'accept-encoding': 'identity', host: origin.host });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['proxy-authorization']));
    expect(headers['x-named']).toBeUndefined();
    expect(lane.stats).toMatchObject({ requests: 1, bytes: 5, refused: 0 });
    expect(lane.lastFault()).toBeNull();
  });

  it.each([
    ['a private address', () => `http://127.0.0.1:${canary.port}/`],
    ['a name for a private address', () => `http://some.test:${canary.port}/`],
    ['https in the open', () => 'https://some.test/'],
    ['another scheme', () => 'ftp://some.test/'],
    ['a path alone', () => '/metrics'],
  ])('refuses %s and says so', async (_title, target) => {
    const lane = await proxy.open('a');
    expect((await through(lane.proxyUrl, target())).status).toBe(403);
    expect(lane.lastFault()).toMatchObject({ reason: 'refused_address' });
    expect(lane.stats.refused).toBe(1);
    expect(proxy.stats.refused).toBe(1);
    expect(canary.connections).toBe(0);
  });

  it('refuses to send anything but a request to read', async () => {
    const lane = await proxy.open('a');
    expect((await through(lane.proxyUrl, origin.url('/seen'), {}, 'DELETE')).status).toBe(403);
  });

  it.each(['127.0.0.1', 'some.test', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '[::1]'])(
    'refuses a tunnel to %s',
    async (host) => {
      const lane = await proxy.open('a');
      expect(await tunnelStatus(lane.proxyUrl, `${host}:${canary.port}`)).toBe('HTTP/1.1 403 Forbidden');
      expect(canary.connections).toBe(0);
    },
  );

  it('opens a tunnel to what is allowed', async () => {
    const lane = await proxy.open('a');
    expect(await tunnelStatus(lane.proxyUrl, origin.host)).toBe('HTTP/1.1 200 Connection established');
  });

  it('stops a stream that asks too often, and no other stream', async () => {
    origin.text('/often', 'x');
    const [greedy, modest] = await Promise.all([proxy.open('a'), proxy.open('b')]);
    const answers = await Promise.all(Array.from({ length: 25 }, () => through(greedy.proxyUrl, origin.url('/often'))));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(21);
    expect(greedy.lastFault()).toMatchObject({ reason: 'budget_exceeded' });
    expect((await through(modest.proxyUrl, origin.url('/often'))).status).toBe(200);
  });

  it('cuts a playlist that is too long, and lets a segment of that length pass', async () => {
    origin.text('/long.m3u8', `#EXTM3U\n${'x'.repeat(2_000)}`);
    origin.text('/long.ts', 'x'.repeat(2_000));
    const lane = await proxy.open('a');
    expect((await through(lane.proxyUrl, origin.url('/long.ts'))).body).toHaveLength(2_000);
    await expect(through(lane.proxyUrl, origin.url('/long.m3u8'))).rejects.toThrow();
    expect(lane.lastFault()).toMatchObject({ reason: 'budget_exceeded' });
  });

  it('notes what the server answers', async () => {
    const lane = await proxy.open('a');
    await through(lane.proxyUrl, origin.text('/403', '', 'text/plain', 403));
    expect(lane.lastFault()).toMatchObject({ reason: 'forbidden' });
    await through(lane.proxyUrl, origin.url('/none'));
    expect(lane.lastFault()).toMatchObject({ reason: 'not_found' });
  });

  it('fetches with a cap, follows redirects, and not out of the allowed', async () => {
    const lane = await proxy.open('a');
    origin.text('/big', 'y'.repeat(5_000), 'text/plain');
    origin.redirect('/there', '/big');
    origin.redirect('/inside', `http://127.0.0.1:${canary.port}/`);
    const answer = await lane.fetch(origin.url('/there'), { maxBytes: 100 });
    expect(answer).toMatchObject({ status: 200, url: origin.url('/big'), truncated: true });
    expect(answer.body).toHaveLength(100);
    await expect(lane.fetch(origin.url('/inside'))).rejects.toMatchObject({ reason: 'refused_address' });
    await expect(lane.fetch('file:///etc/passwd')).rejects.toMatchObject({ reason: 'refused_address' });
    await expect(lane.fetch(origin.hang('/hang'), { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'stalled' });
    expect(canary.connections).toBe(0);
  });

  it('does not tell another host what was meant for the first', async () => {
    const other = await HlsOrigin.start();
    const wide = await EgressProxy.start({ allow: [origin.host, other.host] });
    const seen = new Promise<IncomingMessage>((resolve) => {
      other.on('/', (incoming, response) => {
        resolve(incoming);
        response.end();
      });
    });
    const lane = await wide.open('a');
    await lane.fetch(origin.redirect('/away', other.url('/')), { headers: { Authorization: 'secret', 'x-kept': '1' } });
    const { headers } = await seen;
    expect(headers).toMatchObject({ 'x-kept': '1' });
    expect(headers.authorization).toBeUndefined();
    await wide.stop();
    await other.stop();
  });

  it('ends open connections when a lane is closed', async () => {
    const lane = await proxy.open('a');
    const hanging = through(lane.proxyUrl, origin.hang('/hang'));
    const ended = expect(hanging).rejects.toThrow();
    await lane.fetch(origin.text('/ping', 'x'));
    await lane.close();
    await ended;
    await expect(through(lane.proxyUrl, origin.url('/ping'))).rejects.toThrow();
  });
});
