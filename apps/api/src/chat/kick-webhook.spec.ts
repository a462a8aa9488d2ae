import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, sign } from 'node:crypto';
import { KICK_WINDOW_MS, verifyKickWebhook } from './kick-webhook.js';
import { KickPublicKey } from './kick-webhook-key.js';

const NOW = Date.UTC(2025, 0, 14, 16, 8, 10);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** The event as docs.kick.com shows it. */
const EVENT = {
  message_id: 'unique_message_id_123',
  broadcaster: {
    is_anonymous: false,
    user_id: 123456789,
    username: 'broadcaster_name',
    channel_slug: 'Broadcaster_channel',
  },
  sender: {
    ...{ is_anonymous: false, user_id: 987654321, username: 'sender_name', channel_slug: 'sender_channel' },
    identity: {
      username_color: '#FF5733',
      badges: [
        { text: 'Moderator', type: 'moderator' },
        { text: 'Sub Gifter', type: 'sub_gifter', count: 5 },
        { text: 'Subscriber', type: 'subscriber', count: 3 },
      ],
    },
  },
  content: 'Hello [emote:4148074:HYPERCLAP] [emote:37226:KEKW]!',
  emotes: [{ emote_id: '4148074', positions: [{ s: 6, e: 30 }] }],
  created_at: '2025-01-14T16:08:06Z',
};

function delivery(
  change: { body?: string; timestamp?: string; id?: string; type?: string; key?: typeof privateKey } = {},
): Parameters<typeof verifyKickWebhook>[0] & { headers: Record<string, string> } {
  const {
    body = JSON.stringify(EVENT),
    timestamp = '2025-01-14T16:08:09Z',
    id = '01JHJ4S1',
    key = privateKey,
  } = change;
  const rawBody = Buffer.from(body);
  const signature = sign('RSA-SHA256', Buffer.from(`${id}.${timestamp}.${body}`), key).toString('base64');
  const headers = {
    ...{ 'kick-event-message-id': id, 'kick-event-message-timestamp': timestamp, 'kick-event-signature': signature },
    ...{ 'kick-event-type': change.type ?? 'chat.message.sent', 'kick-event-version': '1' },
  };
  return { headers, rawBody, publicKey: PEM, now: NOW };
}

describe('a webhook of Kick', () => {
  it('is read when Kick signed it', () => {
    expect(verifyKickWebhook(delivery())).toEqual({
      messageId: '01JHJ4S1',
      type: 'chat.message.sent',
      message: {
        broadcasterSlug: 'broadcaster_channel',
        chat: {
          ...{ externalId: 'unique_message_id_123', userId: '987654321', username: 'sender_name', kind: 'text' },
          ...{ roles: ['moderator', 'subscriber'], sentAt: Date.UTC(2025, 0, 14, 16, 8, 6) },
          text: 'Hello HYPERCLAP KEKW!',
          fragments: [
            { type: 'text', text: 'Hello ' },
            { type: 'emote', text: 'HYPERCLAP', emoteId: '4148074' },
            { type: 'text', text: ' ' },
            { type: 'emote', text: 'KEKW', emoteId: '37226' },
            { type: 'text', text: '!' },
          ],
        },
      },
    });
  });

  it('of another kind is known by its name and says nothing', () => {
    const other = delivery({ type: 'livestream.status.updated', body: '{"is_live":true}' });
    expect(verifyKickWebhook(other)).toMatchObject({ type: 'livestream.status.updated', message: null });
  });

  it.each([
    ['signed by another key', delivery({ key: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey })],
    ['with another body', { ...delivery(), rawBody: Buffer.from(JSON.stringify({ ...EVENT, content: 'x' })) }],
    ['with the same JSON in other bytes', { ...delivery(), rawBody: Buffer.from(JSON.stringify(EVENT, null, 1)) }],
    ['without headers', { ...delivery(), headers: {} }],
    ['with another id', { ...delivery(), headers: { ...delivery().headers, 'kick-event-message-id': 'another' } }],
    [
      'with a header that came twice',
      { ...delivery(), headers: { ...delivery().headers, 'kick-event-signature': ['a'] } },
    ],
    ['with an empty signature', { ...delivery(), headers: { ...delivery().headers, 'kick-event-signature': '' } }],
    ['of yesterday', delivery({ timestamp: '2025-01-13T16:08:09Z' })],
    ['of tomorrow', delivery({ timestamp: '2025-01-15T16:08:09Z' })],
    ['of no time', delivery({ timestamp: 'now' })],
  ])('%s is refused', (_how, request) => {
    expect(() => verifyKickWebhook(request)).toThrow(expect.objectContaining({ code: 'kick.signature.unauthorized' }));
  });

  it('is taken to the edge of its window and not beyond', () => {
    const sent = Date.parse('2025-01-14T16:08:09Z');
    expect(() => verifyKickWebhook({ ...delivery(), now: sent + KICK_WINDOW_MS })).not.toThrow();
    expect(() => verifyKickWebhook({ ...delivery(), now: sent + KICK_WINDOW_MS + 1 })).toThrow();
  });

  it.each(['', 'null', '{"message_id":5}', '[]', '{"message_id":"x","content":"y"}'])(
    'signed and yet no event (%j) is told so',
    (body) => {
      expect(() => verifyKickWebhook(delivery({ body }))).toThrow(expect.objectContaining({ code: 'kick.body' }));
    },
  );

  it('is never held against a key of another kind', () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(() => verifyKickWebhook({ ...delivery(), publicKey: other })).toThrow(
      expect.objectContaining({ code: 'kick.key' }),
    );
  });
});

describe('the public key of Kick', () => {
  let server: Server;
  let answers: { status: number; body: string }[];
  let asked: number;
  let now: number;
  let key: KickPublicKey;
  const good = { status: 200, body: JSON.stringify({ data: { public_key: PEM }, message: 'OK' }) };

  beforeEach(async () => {
    [answers, asked, now] = [[], 0, NOW];
    server = createServer((_request, response) => {
      asked += 1;
      const { status, body } = answers.shift() ?? good;
      response.writeHead(status, { connection: 'close' }).end(body);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/public/v1/public-key`;
    key = new KickPublicKey({ url, fetch, now: () => now });
  });
  afterEach(async () => {
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });

  it('is asked for once, however many want it, and kept for a day', async () => {
    expect(await Promise.all([key.pem(), key.pem(), key.pem()])).toEqual([PEM.trim(), PEM.trim(), PEM.trim()]);
    now += 23 * 3_600_000;
    await key.pem();
    expect(asked).toBe(1);
    now += 3_600_000;
    await key.pem();
    expect(asked).toBe(2);
  });

  it('is asked for anew when it does not fit, at most once a minute', async () => {
    await key.pem();
    for (let times = 0; times < 5; times += 1) await key.pem(true);
    expect(asked).toBe(1);
    now += 60_000;
    await key.pem(true);
    expect(asked).toBe(2);
  });

  it('is used on when Kick does not answer', async () => {
    await key.pem();
    now += 48 * 3_600_000;
    answers.push({ status: 500, body: '' });
    expect(await key.pem()).toBe(PEM.trim());
    expect(asked).toBe(2);
  });

  it.each([
    { status: 500, body: '' },
    { status: 302, body: '' },
    { status: 200, body: '{}' },
    { status: 200, body: JSON.stringify({ data: { public_key: 'no key' } }) },
    { status: 200, body: JSON.stringify({ data: { public_key: PEM }, filler: 'x'.repeat(20_000) }) },
  ])('is not to be had from %j', async (answer) => {
    answers.push(answer);
    await expect(key.pem()).rejects.toMatchObject({ code: 'kick.key', kind: 'operational' });
    await expect(key.pem()).rejects.toMatchObject({ code: 'kick.key' });
    expect(asked).toBe(1);
    now += 60_000;
    expect(await key.pem()).toBe(PEM.trim());
  });
});
