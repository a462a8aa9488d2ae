import { randomUUID } from 'node:crypto';
import type { MessageView } from '#libs/contracts/sockets.js';
import { TestApi } from '../test-api.fixture.js';
import type { ConversationView } from './messaging.dto.js';

interface PageOf<Item> {
  items: Item[];
  nextCursor: string | null;
}

describe('messages', () => {
  let api: TestApi;
  let ids: Record<'anna' | 'ben' | 'cleo' | 'chief', string>;
  let tokens: Record<keyof typeof ids, string>;

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    ids = {
      anna: await api.user('anna', 'agent'),
      ben: await api.user('ben', 'agent'),
      cleo: await api.user('cleo', 'agent'),
      chief: await api.user('chief', 'admin'),
    };
    tokens = {
      anna: await api.token(ids.anna),
      ben: await api.token(ids.ben),
      cleo: await api.token(ids.cleo),
      chief: await api.token(ids.chief),
    };
  }, 60_000);

  afterAll(() => api.close());

  type Name = keyof typeof ids;

  async function send(from: Name, to: Name, body: string, clientId: string = randomUUID()) {
    const answer = await api.call('POST', `/api/messages/${ids[to]}`, tokens[from], { clientId, body });
    return { status: answer.status, code: answer.body['code'], message: answer.body as unknown as MessageView };
  }

  async function history(of: Name, other: Name, query = ''): Promise<PageOf<MessageView>> {
    const { status, body } = await api.call('GET', `/api/messages/${ids[other]}${query}`, tokens[of]);
    expect(status).toBe(200);
    return body as unknown as PageOf<MessageView>;
  }

  async function unread(of: Name): Promise<unknown> {
    return (await api.call('GET', '/api/messages/unread-count', tokens[of])).body['messages'];
  }

  async function conversations(of: Name, query = ''): Promise<PageOf<ConversationView>> {
    return (await api.call('GET', `/api/conversations${query}`, tokens[of]))
      .body as unknown as PageOf<ConversationView>;
  }

  const bodies = ({ items }: PageOf<MessageView>): string[] => items.map(({ body }) => body);

  it('reach the other one, and nobody else sees them, admins neither', async () => {
    const { status, message } = await send('anna', 'ben', 'Look at the door.');
    expect(status).toBe(201);
    expect(message).toMatchObject({ kind: 'text', senderId: ids.anna, recipientId: ids.ben, readAt: null });
    expect(bodies(await history('anna', 'ben'))).toEqual(['Look at the door.']);
    expect(bodies(await history('ben', 'anna'))).toEqual(['Look at the door.']);
    for (const other of ['cleo', 'chief'] as const) {
      expect((await history(other, 'anna')).items).toEqual([]);
      expect((await history(other, 'ben')).items).toEqual([]);
      expect((await conversations(other)).items).toEqual([]);
    }
  });

  it('are written once, however often and from however many places they are sent', async () => {
    const clientId = randomUUID();
    const told: string[] = [];
    const off = api.events.on('message.sent', ({ id }) => told.push(id));
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('anna', 'cleo', 'once', clientId)));
    answers.push(await send('anna', 'cleo', 'once', clientId));
    off();
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ message }) => message.id)).size).toBe(1);
    expect(told).toEqual([answers[0]?.message.id]);
    expect(bodies(await history('cleo', 'anna'))).toEqual(['once']);
    expect(await send('anna', 'cleo', 'another', clientId)).toMatchObject({
      status: 409,
      code: 'message.client_id.conflict',
    });
    expect(await send('anna', 'ben', 'once', clientId)).toMatchObject({ status: 409 });
    expect((await send('ben', 'cleo', 'mine', clientId)).status).toBe(201);
  });

  it('are numbered in the order they are committed, so that a reader who continues misses nothing', async () => {
    const start = (await history('anna', 'ben', '?limit=1')).items[0]?.seq ?? '0';
    let reading = true;
    const seen: string[] = [];
    const reader = (async () => {
      let after = start;
      while (reading) {
        for (const { body, seq } of (await history('ben', 'anna', `?after=${after}&limit=3`)).items) {
          seen.push(body);
          after = seq;
        }
      }
      for (const { body } of (await history('ben', 'anna', `?after=${after}&limit=200`)).items) seen.push(body);
    })();
    const sent = Array.from({ length: 30 }, (_, index) => `m${String(index)}`);
    await Promise.all(
      sent.map((body, index) => (index % 2 === 0 ? send('anna', 'ben', body) : send('ben', 'anna', body))),
    );
    reading = false;
    await reader;
    expect([...seen].sort()).toEqual([...sent].sort());
  });

  it('page backwards and forwards without gaps or doubles', async () => {
    const whole = await history('anna', 'ben', '?limit=200');
    const paged: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await history('anna', 'ben', `?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...bodies(page));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(bodies(whole));
    const forwards: string[] = [];
    let page = await history('anna', 'ben', '?after=0&limit=7');
    forwards.push(...bodies(page));
    while (page.nextCursor !== null) {
      page = await history('anna', 'ben', `?limit=7&cursor=${page.nextCursor}`);
      forwards.push(...bodies(page));
    }
    expect(forwards).toEqual([...paged].reverse());
  });

  it('count as unread until they are read, one by one or all, by their recipient alone', async () => {
    const before = Number(await unread('chief'));
    const first = await send('cleo', 'chief', 'one');
    await send('cleo', 'chief', 'two');
    expect(await unread('chief')).toBe(before + 2);
    const read = (token: string): Promise<{ body: Record<string, unknown> }> =>
      api.call('PUT', '/api/messages/read', token, { ids: [first.message.id, randomUUID()] });
    expect((await read(tokens.cleo)).body).toEqual({ changed: 0 });
    const told: unknown[] = [];
    const off = api.events.on('message.read', (event) => told.push(event));
    expect((await read(tokens.chief)).body).toEqual({ changed: 1 });
    expect((await read(tokens.chief)).body).toEqual({ changed: 0 });
    expect(await unread('chief')).toBe(before + 1);
    expect((await history('cleo', 'chief', '?limit=2')).items.map(({ readAt }) => readAt === null)).toEqual([
      true,
      false,
    ]);
    const all = await api.call('PUT', `/api/messages/${ids.cleo}/read`, tokens.chief);
    expect(all.body).toEqual({ changed: 1 });
    off();
    expect(told).toMatchObject([
      { readerId: ids.chief, senderId: ids.cleo, ids: [first.message.id], seq: first.message.seq },
      { readerId: ids.chief, senderId: ids.cleo, ids: null },
    ]);
    expect(await unread('chief')).toBe(before);
  });

  it('are deleted on one side, and what is written later is there again', async () => {
    await send('ben', 'cleo', 'old');
    const before = Number(await unread('cleo'));
    expect((await api.call('DELETE', `/api/messages/${ids.ben}`, tokens.cleo)).status).toBe(204);
    expect((await history('cleo', 'ben')).items).toEqual([]);
    expect((await history('cleo', 'ben', '?after=0')).items).toEqual([]);
    expect((await conversations('cleo')).items.map(({ user }) => user.id)).not.toContain(ids.ben);
    expect(Number(await unread('cleo'))).toBeLessThan(before);
    expect(bodies(await history('ben', 'cleo'))).toContain('old');
    await send('ben', 'cleo', 'new');
    expect(bodies(await history('cleo', 'ben'))).toEqual(['new']);
    expect((await conversations('cleo')).items.map(({ user }) => user.id)).toContain(ids.ben);
  });

  it('make conversations: the newest first, with last message and unread number, by pages', async () => {
    await send('ben', 'anna', 'from ben');
    await send('cleo', 'anna', 'from cleo');
    const { items } = await conversations('anna');
    expect(items.map(({ user }) => user.username)).toEqual(['cleo', 'ben']);
    expect(items.map(({ lastMessage }) => lastMessage.body)).toEqual(['from cleo', 'from ben']);
    expect(items.every(({ unread: count, online }) => count > 0 && !online)).toBe(true);
    const first = await conversations('anna', '?limit=1');
    const second = await conversations('anna', `?limit=1&cursor=${String(first.nextCursor)}`);
    expect([...first.items, ...second.items].map(({ user }) => user.username)).toEqual(['cleo', 'ben']);
    expect(second.nextCursor).toBeNull();
  });

  it('go to nobody who is not there, is disabled, or is oneself', async () => {
    const gone = await api.user('gone', 'agent');
    await api.call('POST', `/api/messages/${gone}`, tokens.anna, { clientId: randomUUID(), body: 'still there?' });
    await api.disable(gone);
    for (const id of [randomUUID(), ids.anna, gone]) {
      const answer = await api.call('POST', `/api/messages/${id}`, tokens.anna, { clientId: randomUUID(), body: 'x' });
      expect(answer).toMatchObject({ status: 404, body: { code: 'message.user.not_found' } });
    }
    // What was written stays readable.
    expect((await api.call('GET', `/api/messages/${gone}`, tokens.anna)).status).toBe(200);
    expect((await api.call('GET', `/api/messages/${randomUUID()}`, tokens.anna)).status).toBe(404);
  });

  it.each([
    { body: 'no client id' },
    { clientId: 'x', body: 'x' },
    { clientId: randomUUID(), body: '  ' },
    { clientId: randomUUID(), body: 'x'.repeat(4_001) },
    { clientId: randomUUID(), body: 'a\u0000b' },
    { clientId: randomUUID(), body: 'half a pair \ud83d' },
    { clientId: randomUUID(), body: 'x', attachmentIds: Array.from({ length: 11 }, () => randomUUID()) },
  ])('do not take %j', async (message) => {
    expect((await api.call('POST', `/api/messages/${ids.ben}`, tokens.anna, message)).status).toBe(400);
  });

  it('with an attachment that is not there are not written at all', async () => {
    const before = (await history('anna', 'ben', '?limit=1')).items[0]?.seq;
    const message = { clientId: randomUUID(), body: 'with nothing', attachmentIds: [randomUUID()] };
    const answer = await api.call('POST', `/api/messages/${ids.ben}`, tokens.anna, message);
    expect(answer).toMatchObject({ status: 404, body: { code: 'attachment.not_found' } });
    expect((await history('anna', 'ben', '?limit=1')).items[0]?.seq).toBe(before);
  });

  it('of the system tell an agent of its assignments, from whoever made them', async () => {
    const stream = { name: `door-${randomUUID()}`, url: 'https://example.com/a' };
    const streamId = (await api.call('POST', '/api/streams', tokens.chief, stream)).body['id'];
    const written = (text: string): Promise<MessageView> =>
      new Promise((resolve) => {
        const off = api.events.on('message.sent', (message) => {
          if (!message.body.startsWith(text)) return;
          off();
          resolve(message);
        });
      });
    const assigned = written('You now look after');
    const made = await api.call('POST', '/api/assignments', tokens.chief, { streamId, agentId: ids.ben });
    expect(await assigned).toMatchObject({
      ...{ kind: 'system', senderId: ids.chief, recipientId: ids.ben, clientId: null },
      body: `You now look after “${stream.name}”.`,
    });
    const unassigned = written('You no longer look after');
    await api.call('DELETE', `/api/assignments/${String(made.body['id'])}`, tokens.chief);
    expect(await unassigned).toMatchObject({ kind: 'system', recipientId: ids.ben });
  });

  it('are limited to a number in a minute', async () => {
    const flooder = await api.user('flooder', 'agent');
    const token = await api.token(flooder);
    const statuses: number[] = [];
    for (let count = 0; count < 13; count += 1) {
      const burst = Array.from({ length: 10 }, () =>
        api.call('POST', `/api/messages/${ids.chief}`, token, { clientId: randomUUID(), body: 'spam' }),
      );
      for (const answer of await Promise.all(burst)) {
        statuses.push(answer.status);
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(120);
    expect(statuses).toContain(429);
  });
});
