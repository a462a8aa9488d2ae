import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import { MessageView, type SocketAnswer, type TypingEvent } from '#libs/contracts/sockets.js';
import { TestApi } from '../test-api.fixture.js';
import { isOriginAllowed } from './realtime.adapter.js';
import { SocketClients, happens, until } from './socket-clients.fixture.js';
import { SocketCounters } from './socket-counters.js';

const ORIGIN = 'https://front.example';

describe('the namespace of messages', () => {
  const clients = new SocketClients();
  let api: TestApi;
  let other: TestApi;
  let ids: Record<'anna' | 'ben' | 'cleo', string>;
  let tokens: Record<keyof typeof ids, string>;

  beforeAll(async () => {
    api = await TestApi.start({ CORS_ORIGINS: ORIGIN }, 14);
    other = await api.beside();
    ids = {
      anna: await api.user('anna', 'agent'),
      ben: await api.user('ben', 'agent'),
      cleo: await api.user('cleo', 'agent'),
    };
    tokens = { anna: await api.token(ids.anna), ben: await api.token(ids.ben), cleo: await api.token(ids.cleo) };
  }, 60_000);

  afterEach(() => {
    clients.closeAll();
  });

  afterAll(async () => {
    await other.close();
    await api.close();
  });

  const join = (name: keyof typeof ids, at = api): Promise<Socket> =>
    clients.connect(at, tokens[name], NAMESPACES.messages);
  const ask = (socket: Socket, event: string, payload: unknown): Promise<SocketAnswer> =>
    happens((done) => {
      socket.emit(event, payload, done);
    });
  const counted = (reason: Parameters<SocketCounters['of']>[0]): number =>
    api.app.get(SocketCounters, { strict: false }).of(reason);

  it('takes messages as REST does, and brings them to both on every process', async () => {
    const [anna, elsewhere, ben, cleo] = [
      await join('anna'),
      await join('anna', other),
      await join('ben', other),
      await join('cleo'),
    ];
    const heard: Record<string, unknown[]> = { anna: [], elsewhere: [], ben: [], cleo: [] };
    for (const [name, socket] of Object.entries({ anna, elsewhere, ben, cleo })) {
      socket.on('message', (message) => heard[name]?.push(MessageView.parse(message).id));
    }
    const message = { userId: ids.ben, message: { clientId: randomUUID(), body: 'By socket.' } };
    const first = await ask(anna, 'message', message);
    const second = await ask(anna, 'message', message);
    expect(second).toEqual(first);
    const id = first.ok ? first.message?.id : undefined;
    await until(() => ['anna', 'elsewhere', 'ben'].every((name) => heard[name]?.length === 1));
    expect(heard).toEqual({ anna: [id], elsewhere: [id], ben: [id], cleo: [] });
    const read = happens((done) => anna.once('message_read', done));
    expect(await ask(ben, 'message_read', { ids: [id] })).toEqual({ ok: true });
    expect(await read).toMatchObject({ readerId: ids.ben, senderId: ids.anna, ids: [id] });
    const history = await api.call('GET', `/api/messages/${ids.ben}`, tokens.anna);
    expect(history.body['items']).toHaveLength(1);
  });

  it('passes typing on within a conversation, at a bounded rate, and not to strangers', async () => {
    const [anna, ben, cleo] = [await join('anna'), await join('ben', other), await join('cleo')];
    const seen: TypingEvent[] = [];
    const strange: unknown[] = [];
    ben.on('typing', (event: TypingEvent) => seen.push(event));
    cleo.on('typing', (event) => strange.push(event));
    const before = counted('typing_dropped');
    for (let count = 0; count < 12; count += 1) await ask(anna, 'typing', { userId: ids.ben, typing: count % 2 === 0 });
    expect(counted('typing_dropped')).toBeGreaterThan(before);
    await until(() => seen.length >= 6);
    expect(seen.length).toBeLessThan(12);
    expect(seen[0]).toMatchObject({ userId: ids.anna, typing: true });
    const ours = await join('anna');
    expect(await ask(ours, 'typing', { userId: ids.cleo, typing: true })).toEqual({ ok: true });
    const mark = happens((done) => cleo.once('message', done));
    await api.call('POST', `/api/messages/${ids.cleo}`, tokens.ben, { clientId: randomUUID(), body: 'mark' });
    await mark;
    expect(strange).toEqual([]);
  });

  it('answers what does not fit, and survives it', async () => {
    const anna = await join('anna');
    const before = counted('invalid');
    const bad: [string, unknown][] = [
      ['message', null],
      ['message', { userId: ids.ben }],
      ['message', { userId: 'role:admin', message: { clientId: randomUUID(), body: 'x' } }],
      ['message', { userId: ids.ben, message: { clientId: randomUUID(), body: 'a\u0000b' } }],
      ['typing', { userId: ids.ben, typing: 'yes' }],
      ['message_read', { ids: 'all' }],
    ];
    for (const [event, payload] of bad) {
      expect(await ask(anna, event, payload)).toMatchObject({ ok: false, error: { code: 'request.invalid' } });
    }
    expect(counted('invalid')).toBe(before + bad.length);
    const missing = { userId: randomUUID(), message: { clientId: randomUUID(), body: 'x' } };
    expect(await ask(anna, 'message', missing)).toMatchObject({ ok: false, error: { code: 'message.user.not_found' } });
    // Without an acknowledgement asked for, with one that is no function, and with nothing at all.
    anna.emit('message');
    anna.emit('typing', {}, 'no function');
    expect(await ask(anna, 'typing', { userId: ids.ben, typing: true })).toEqual({ ok: true });
  });

  it('parts with a client that floods, and counts it', async () => {
    const anna = await join('anna');
    const before = counted('flooded');
    const ended = happens((done) => anna.once('disconnect', done));
    for (let packet = 0; packet < 60; packet += 1) anna.emit('join', 'role:admin');
    await ended;
    expect(counted('flooded')).toBeGreaterThan(before);
  });

  it('lets browsers in from allowed origins and from its own pages alone, in every transport', async () => {
    const attempt = (origin: string): Promise<unknown> =>
      clients.connect(api, tokens.anna, NAMESPACES.messages, { origin }).then(
        () => 'let in',
        () => 'refused',
      );
    const before = counted('origin_refused');
    expect(await attempt(ORIGIN)).toBe('let in');
    expect(await attempt(api.url)).toBe('let in');
    for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, 'http://front.example']) {
      expect(await attempt(origin)).toBe('refused');
    }
    expect(counted('origin_refused')).toBe(before + 4);
    const polling = `${api.url}/socket.io/?EIO=4&transport=polling`;
    expect((await fetch(polling, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
    expect((await fetch(polling)).status).toBe(200);
    expect(isOriginAllowed({ origin: 'rubbish', host: 'rubbish' }, [])).toBe(false);
  });
});
