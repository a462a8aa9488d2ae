import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { ChatPush, type ChatMessage } from '#libs/contracts/chat.js';
import { REDIS } from '#libs/contracts/names.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import { TestApi } from '../test-api.fixture.js';

const DATABASE = 14;

describe('chat that is sent in', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  let api: TestApi;
  let other: TestApi;
  let redis: RedisConnection;
  let kick: Server;
  let admin: string;
  let token: string;
  let streamId: string;

  beforeAll(async () => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    kick = createServer((_request, response) => response.end(JSON.stringify({ data: { public_key: pem } })));
    await new Promise<void>((listening) => kick.listen(0, '127.0.0.1', listening));
    const keyUrl = `http://127.0.0.1:${String((kick.address() as AddressInfo).port)}/`;
    api = await TestApi.start({ KICK_PUBLIC_KEY_URL: keyUrl, RECONCILE_INTERVAL_MS: '60000' }, DATABASE);
    other = await api.beside();
    redis = connectRedis(testRedisUrl(DATABASE), 'look', createLogger('test', 'silent'));
    admin = await api.token(await api.user('chief', 'admin'));
    const made = await api.call('POST', '/api/service-tokens', admin, { name: 'owner', scopes: ['chat:push'] });
    token = String(made.body['token']);
  }, 60_000);

  beforeEach(async () => {
    await redis.del(REDIS.chatPushes);
    streamId = await stream();
  });

  afterAll(async () => {
    redis.disconnect();
    kick.close();
    await other.close();
    await api.close();
  });

  async function stream(fields: object = {}, monitored = true): Promise<string> {
    const body = { name: randomUUID(), url: 'https://example.com/a', ...fields };
    const id = String((await api.call('POST', '/api/streams', admin, body)).body['id']);
    if (monitored) await api.call('POST', `/api/monitoring/stream/${id}/start`, admin);
    return id;
  }

  const line = (id: string, more: object = {}) => ({ id, username: 'ann', text: `text of ${id}`, ...more });
  const push = (messages: unknown, to = streamId, at = api): ReturnType<TestApi['call']> =>
    at.call('POST', `/api/streams/${to}/chat`, token, { messages });

  /** What was relayed to monitors, for any stream. */
  async function relayed(): Promise<ChatMessage[]> {
    const entries = await redis.xrange(REDIS.chatPushes, '-', '+');
    return entries.flatMap(([, fields]) => ChatPush.parse(JSON.parse(fields[3] ?? '')).messages);
  }
  const idsOf = (messages: readonly ChatMessage[]): string[] => messages.map(({ externalId }) => externalId);

  it('is relayed to the monitors as messages of the stream', async () => {
    const sentAt = '2026-01-01T12:00:00.250+01:00';
    const answer = await push([line('1', { sentAt, userId: 'u', roles: ['moderator', 'moderator'] }), line('2')]);
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 202, body: { accepted: 2, duplicates: 0 } });
    const [first, second] = await relayed();
    expect(first).toMatchObject({
      ...{ platform: 'push', streamId, externalId: '1', userId: 'u', username: 'ann', text: 'text of 1', kind: 'text' },
      ...{ roles: ['moderator'], sentAt: Date.parse(sentAt) },
    });
    expect(second?.sentAt).toBe(second?.receivedAt);
    const twitch = await stream({ chat: { platform: 'twitch', channel: 'someone' } });
    await push([line('3', { sentAt: Date.now() + 3_600_000 })], twitch);
    const third = (await relayed())[2];
    expect(third).toMatchObject({ platform: 'twitch', sentAt: third?.receivedAt });
  });

  it('is taken once, whichever process it is sent to and however it is batched', async () => {
    expect((await push(['a', 'b', 'a'].map((id) => line(id)))).body).toEqual({ accepted: 2, duplicates: 1 });
    expect((await push(['a', 'b'].map((id) => line(id)))).body).toEqual({ accepted: 0, duplicates: 2 });
    expect(
      (
        await push(
          ['b', 'c'].map((id) => line(id)),
          streamId,
          other,
        )
      ).body,
    ).toEqual({ accepted: 1, duplicates: 1 });
    const rush = await Promise.all(Array.from({ length: 10 }, () => push([line('rush')])));
    expect(rush.map(({ body }) => body['accepted']).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(idsOf(await relayed())).toEqual(['a', 'b', 'c', 'rush']);
    // Ids are the stream's own.
    expect((await push([line('a')], await stream())).body).toEqual({ accepted: 1, duplicates: 0 });
  });

  it('may have ids and words that mean something to JavaScript', async () => {
    const ids = ['__proto__', 'constructor', 'toString'];
    expect((await push(ids.map((id) => line(id)))).body).toEqual({ accepted: 3, duplicates: 0 });
    const body = `{"messages":[{"id":"p","username":"a","text":"b","__proto__":{"roles":["staff"]}}],"__proto__":{"x":1}}`;
    const answer = await api.call('POST', `/api/streams/${streamId}/chat`, token, body);
    expect([202, 400]).toContain(answer.status);
    expect(Reflect.get({}, 'x')).toBeUndefined();
    expect((await relayed()).flatMap(({ roles }) => roles)).toEqual([]);
  });

  it.each<[string, unknown, number]>([
    ['no message', [], 400],
    ['501 messages', Array.from({ length: 501 }, (_, id) => ({ id: String(id), username: 'a', text: 'b' })), 400],
    ['a message without an id', [{ username: 'a', text: 'b' }], 400],
    ['an id that is too long', [{ id: 'x'.repeat(201), username: 'a', text: 'b' }], 400],
    ['a field nobody knows', [{ id: '1', username: 'a', text: 'b', streamId: 'c' }], 400],
    ['a role that is none', [{ id: '1', username: 'a', text: 'b', roles: ['king'] }], 400],
    ['10 MB', [{ id: '1', username: 'a', text: 'x'.repeat(10_000_000) }], 413],
  ])('is refused when it is %s', async (_what, messages, status) => {
    expect((await push(messages)).status).toBe(status);
    expect(await relayed()).toEqual([]);
  });

  it('is cut where it is too long, and 500 messages are not too many', async () => {
    const messages = Array.from({ length: 499 }, (_, index) => line(`m${String(index)}`));
    expect((await push([...messages, line('long', { text: 'x'.repeat(5_000) })])).body).toEqual({
      accepted: 500,
      duplicates: 0,
    });
    expect((await relayed()).at(-1)?.text).toHaveLength(4_096);
  });

  it('is refused for a stream that is not there, not monitored, or whose chat is not watched', async () => {
    expect((await push([line('1')], randomUUID())).body).toMatchObject({ status: 404, code: 'stream.not_found' });
    const code = async (id: string): Promise<unknown> => {
      const { status, body } = await push([line('1')], id);
      expect(status).toBe(409);
      return body['code'];
    };
    expect(await code(await stream({}, false))).toBe('stream.not_monitored.conflict');
    expect(await code(await stream({ parts: ['video'] }))).toBe('stream.chat_not_watched.conflict');
  });

  it('is not taken while Redis is away, and may be sent again', async () => {
    const bus = other.app.get<RedisConnection>(BUS_REDIS, { strict: false });
    bus.disconnect();
    const away = await push([line('later')], streamId, other);
    expect(away.body).toMatchObject({ status: 503, code: 'redis.unavailable' });
    await bus.connect();
    expect((await push([line('later')], streamId, other)).body).toEqual({ accepted: 1, duplicates: 0 });
  });

  describe('by Kick', () => {
    const body = (slug: string, id: string): string =>
      // Spaces as no serializer of ours makes them: the signature is over the bytes.
      `{ "message_id": "${id}", "broadcaster": {"channel_slug": "${slug}"},  "content": "hi there",
         "sender": {"user_id": 7, "username": "ann"}, "created_at": "2026-01-01T00:00:00Z" }`;

    async function deliver(text: string, changes: Record<string, string> = {}): Promise<[number, unknown]> {
      const [id, timestamp] = [randomUUID(), new Date().toISOString()];
      const signature = sign('RSA-SHA256', Buffer.from(`${id}.${timestamp}.${text}`), privateKey).toString('base64');
      const response = await fetch(`${api.url}/api/hooks/kick`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'kick-event-message-id': id,
          'kick-event-message-timestamp': timestamp,
          'kick-event-signature': signature,
          'kick-event-type': 'chat.message.sent',
          ...changes,
        },
        body: text,
      });
      return [response.status, await response.json()];
    }

    it('reaches the monitored streams of that room, once', async () => {
      const slug = `room-${randomUUID().slice(0, 8)}`;
      const chat = { platform: 'kick', channel: slug.toUpperCase() };
      const mine = await stream({ chat });
      await stream({ chat }, false);
      await stream({ chat: { platform: 'twitch', channel: slug } });
      expect(await deliver(body(slug, 'k1'))).toEqual([200, { accepted: 1, duplicates: 0 }]);
      expect(await deliver(body(slug, 'k1'))).toEqual([200, { accepted: 0, duplicates: 1 }]);
      expect(await deliver(body('another-room', 'k2'))).toEqual([200, { accepted: 0, duplicates: 0 }]);
      expect(await deliver('{}', { 'kick-event-type': 'channel.followed' })).toEqual([
        200,
        { accepted: 0, duplicates: 0 },
      ]);
      expect(await relayed()).toMatchObject([
        { platform: 'kick', streamId: mine, externalId: 'k1', username: 'ann', text: 'hi there' },
      ]);
    });

    it('is believed only when Kick signed exactly that, just now', async () => {
      const text = body('room', 'k3');
      const old = new Date(Date.now() - 3_600_000).toISOString();
      const lies: Record<string, string>[] = [
        { 'kick-event-signature': 'AAAA' },
        { 'kick-event-message-id': 'x' },
        { 'kick-event-message-timestamp': old },
      ];
      for (const lie of lies) {
        expect(await deliver(text, lie)).toEqual([
          401,
          expect.objectContaining({ code: 'kick.signature.unauthorized' }),
        ]);
      }
      expect((await deliver(`{"pad":"${'x'.repeat(70_000)}"}`))[0]).toBe(413);
      expect((await deliver('no JSON'))[0]).toBe(400);
    });
  });
});
