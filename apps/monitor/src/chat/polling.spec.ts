import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { systemClock, type Clock } from '../capture/clock.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import type { ChatLink } from './chat-source.port.js';
import { ask } from './polling.js';

describe('a question to a JSON API', () => {
  let server: Server;
  let proxy: EgressProxy;
  let link: ChatLink;
  let origin: string;
  const heard: { method: string; type: string; key: string; body: string }[] = [];
  let answer: { status: number; location?: string; body: string } | null;

  const linkAt = async (clock: Clock): Promise<ChatLink> => ({
    ...{ lane: await proxy.open(`lane-${heard.length}-${clock.now()}`), clock, random: () => 0, bookmark: null },
    ...{ admitted: () => Promise.resolve(), live: () => undefined, message: () => undefined },
    ...{ garbage: () => undefined, moving: () => undefined },
  });

  beforeEach(async () => {
    heard.length = 0;
    answer = { status: 200, body: '{"a":1}' };
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        const { 'content-type': type = '', 'x-key': key } = request.headers;
        heard.push({ method: request.method ?? '', type, key: String(key), body });
        if (answer === null) return;
        const { location } = answer;
        response.writeHead(answer.status, location === undefined ? {} : { location }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    origin = `http://${host}`;
    proxy = await EgressProxy.start({ allow: [host] });
    link = await linkAt(systemClock);
  });
  afterEach(async () => {
    await proxy.stop();
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });

  const post = (path = '/'): ReturnType<typeof ask> =>
    ask(link, new URL(path, origin), 5_000, new AbortController().signal, {
      headers: { 'x-key': 'k' },
      json: { question: 'wörter' },
    });

  it('is posted as JSON, with its headers', async () => {
    expect(await post()).toEqual({ status: 200, data: { a: 1 } });
    expect(heard).toEqual([{ method: 'POST', type: 'application/json', key: 'k', body: '{"question":"wörter"}' }]);
  });

  it('is asked by GET when there is nothing to post', async () => {
    await ask(link, new URL('/', origin), 5_000, new AbortController().signal);
    expect(heard).toMatchObject([{ method: 'GET', body: '' }]);
  });

  it.each([301, 302, 303, 307, 308])('is not posted to where a %i leads', async (status) => {
    answer = { status, location: '/elsewhere', body: '' };
    expect(await post()).toMatchObject({ status, data: undefined });
    expect(heard).toHaveLength(1);
  });

  it('has no answer when the answer is no JSON', async () => {
    answer = { status: 200, body: '<html>' };
    expect(await post()).toEqual({ status: 200, data: undefined });
  });

  it('is given up when its time is over', async () => {
    const clock = new ManualClock();
    link = await linkAt(clock);
    answer = null;
    const asked = expect(post()).rejects.toMatchObject({
      outcome: 'lost',
      message: 'The chat server no longer answers.',
    });
    await until('the question', () => heard.length === 1);
    clock.advance(5_000);
    await asked;
    expect(clock.pending).toBe(0);
  });
});
