import { request } from 'node:http';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { bodyOf } from '#libs/testing/platform-twitch-server.js';
import type { EgressLane } from './egress-lane.js';
import { EgressProxy } from './egress-proxy.js';

describe('an address that is answered in-house', () => {
  let proxy: EgressProxy;
  let lane: EgressLane;
  const resolved: string[] = [];

  beforeEach(async () => {
    resolved.length = 0;
    proxy = await EgressProxy.start({
      allow: [],
      resolve: (host) => {
        resolved.push(host);
        return Promise.reject(new Error('no such host'));
      },
    });
    lane = await proxy.open('stream');
  });
  afterEach(() => proxy.stop());

  function get(url: string): Promise<{ status: number; text: string }> {
    const { hostname, port } = new URL(lane.proxyUrl);
    return new Promise((done, failed) => {
      const outgoing = request({ hostname, port, path: url }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.once('end', () => done({ status: response.statusCode ?? 0, text }));
      });
      outgoing.once('error', failed);
      outgoing.end();
    });
  }
  const saying = (body: string) => () => Promise.resolve({ status: 200, type: 'text/plain', body });

  it('is served without a name being looked up', async () => {
    const origin = lane.serve((path) => Promise.resolve({ status: 201, type: 'text/plain', body: path }));
    expect(await get(`${origin}/a?b=1`)).toEqual({ status: 201, text: '/a?b=1' });
    expect(resolved).toEqual([]);
    expect(lane.stats.requests).toBe(1);
  });

  it('is valid until four newer ones were asked for, and in its own lane alone', async () => {
    const first = lane.serve(saying('first'));
    const others = ['a', 'b', 'c'].map((text) => lane.serve(saying(text)));
    expect((await get(first)).text).toBe('first');
    lane.serve(saying('d'));
    expect((await get(first)).status).toBe(502);
    expect((await get(others[0] ?? '')).text).toBe('a');
    const other = await proxy.open('other');
    const { hostname, port } = new URL(other.proxyUrl);
    const status = await new Promise((done) => {
      request({ hostname, port, path: others[0] }, (response) => done(response.resume().statusCode)).end();
    });
    expect(status).toBe(502);
    expect(resolved).toEqual([]);
  });

  it('says that it failed when its answer does', async () => {
    const origin = lane.serve(() => Promise.reject(new Error('boom')));
    expect((await get(origin)).status).toBe(502);
    expect(lane.lastFault()).toMatchObject({ reason: 'unreachable' });
  });
});

describe('a POST through a lane', () => {
  let origin: HlsOrigin;
  let proxy: EgressProxy;

  beforeAll(async () => {
    origin = await HlsOrigin.start();
    proxy = await EgressProxy.start({ allow: [origin.host] });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
  });

  it('brings the text along, and is sent nowhere else', async () => {
    const lane = await proxy.open('stream');
    origin.on('/echo', (incoming, response) => {
      void bodyOf(incoming).then((body) => response.end(`${incoming.method ?? ''} ${body}`));
    });
    const { body } = await lane.fetch(origin.url('/echo'), { body: 'héllo' });
    expect(body.toString()).toBe('POST héllo');
    origin.redirect('/elsewhere', origin.url('/echo'));
    expect(await lane.fetch(origin.url('/elsewhere'), { body: 'x' })).toMatchObject({ status: 302 });
    expect(origin.requests).toEqual(['/echo', '/elsewhere']);
  });
});
