import { randomUUID } from 'node:crypto';
import { CaptureJob } from '#libs/contracts/captures.js';
import { captureJobId, QUEUES } from '#libs/contracts/names.js';
import { connectRedis } from '#libs/bus/redis.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { TestApi } from '../test-api.fixture.js';

const REDIS = 12;
const PATIENCE_MS = 8_000;
const chat = { platform: 'twitch', channel: 'some_streamer', options: { token: 'very secret', rooms: ['a'] } };

describe('the streams of the api', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;
  let agentId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, REDIS);
    admin = await api.token(await api.user('chief', 'admin'));
    agentId = await api.user('watcher', 'agent');
    agent = await api.token(agentId);
  }, 60_000);

  afterAll(() => api.close());

  const create = (fields: object = {}): ReturnType<TestApi['call']> =>
    api.call('POST', '/api/streams', admin, { name: randomUUID(), url: 'https://example.com/a.m3u8', ...fields });
  const change = (id: unknown, fields: object): ReturnType<TestApi['call']> =>
    api.call('PATCH', `/api/streams/${String(id)}`, admin, fields);

  it('watch all parts in a language that is to be found out, unless told otherwise', async () => {
    expect((await create()).body).toMatchObject({ parts: ['video', 'audio', 'chat'], language: null, chat: null });
    const told = await create({ parts: ['chat', 'audio', 'chat'], language: 'pt-BR', chat });
    expect(told.status).toBe(201);
    expect(told.body).toMatchObject({ parts: ['audio', 'chat'], language: 'pt-BR' });
  });

  it('never show the options of their chat, and to agents not even which there are', async () => {
    const { body } = await create({ chat });
    expect(body['chat']).toEqual({ platform: 'twitch', channel: 'some_streamer', optionKeys: ['rooms', 'token'] });
    await api.call('POST', '/api/assignments', admin, { streamId: body['id'], agentId });
    for (const path of [`/api/streams/${String(body['id'])}`, '/api/streams']) {
      const seen = JSON.stringify((await api.call('GET', path, agent)).body);
      expect(seen).toContain('"chat":{"platform":"twitch","channel":"some_streamer"}');
      expect(seen + JSON.stringify((await api.call('GET', path, admin)).body)).not.toContain('very secret');
    }
  });

  it('begin a new generation when parts, language or chat change, and only then', async () => {
    const { id } = (await create({ chat })).body;
    const generation = async (fields: object): Promise<unknown> => (await change(id, fields)).body['generation'];
    expect(await generation({ name: randomUUID(), parts: ['chat', 'video', 'audio'], language: null })).toBe(0);
    expect(await generation({ chat: { ...chat, options: { rooms: ['a'], token: 'very secret' } } })).toBe(0);
    expect(await generation({ parts: ['chat'] })).toBe(1);
    expect(await generation({ language: 'en' })).toBe(2);
    expect(await generation({ chat: { ...chat, options: { token: 'another' } } })).toBe(3);
    expect(await generation({ chat: null })).toBe(4);
    expect(await generation({ chat: null })).toBe(4);
  });

  it('keep the options of a chat that are not sent again, but not for another platform', async () => {
    const { id } = (await create({ chat })).body;
    const keys = async (fields: object): Promise<unknown> =>
      ((await change(id, { chat: fields })).body['chat'] as Record<string, unknown>)['optionKeys'];
    expect(await keys({ platform: 'twitch', channel: 'another' })).toEqual(['rooms', 'token']);
    expect(await keys({ platform: 'twitch', channel: 'another', options: {} })).toEqual([]);
    await change(id, { chat });
    expect(await keys({ platform: 'kick', channel: 'another' })).toEqual([]);
  });

  it('have a running capture replaced by one with the new job', async () => {
    const { id } = (await create({ chat })).body;
    await api.call('POST', `/api/monitoring/stream/${String(id)}/start`, admin);
    await change(id, { parts: ['chat'], language: 'de' });
    const redis = connectRedis(testRedisUrl(REDIS), 'look', createLogger('test', 'silent'));
    try {
      const job = async (): Promise<CaptureJob | undefined> => {
        const data = await redis.hget(`bull:${QUEUES.captures}:${captureJobId(String(id))}`, 'data');
        return data === null ? undefined : CaptureJob.parse(JSON.parse(data));
      };
      const deadline = Date.now() + PATIENCE_MS;
      while ((await job())?.generation !== 2 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(await job()).toMatchObject({ generation: 2, parts: ['chat'], language: 'de', chat });
    } finally {
      redis.disconnect();
    }
  });

  it.each<[string, string]>([
    ['no part', '{"parts":[]}'],
    ['a part that is none', '{"parts":["smell"]}'],
    ['a language that is no code', '{"language":"english please"}'],
    ['a chat without a room', '{"chat":{"platform":"twitch","channel":" "}}'],
    ['a room with a NUL', '{"chat":{"platform":"twitch","channel":"a\\u0000b"}}'],
    ['an option that Postgres cannot keep', '{"chat":{"platform":"a","channel":"a","options":{"x":"a\\ud800"}}}'],
    ['an option with a NUL', '{"chat":{"platform":"a","channel":"a","options":{"x":["\\u0000"]}}}'],
    ['a field nobody knows', '{"chat":{"platform":"twitch","channel":"a","more":1}}'],
    [
      'too large options',
      JSON.stringify({ chat: { platform: 'a', channel: 'a', options: { token: 'x'.repeat(9_000) } } }),
    ],
    [
      'too many options',
      JSON.stringify({
        chat: {
          platform: 'a',
          channel: 'a',
          options: Object.fromEntries([...Array(51).keys()].map((n) => [`o${n}`, 1])),
        },
      }),
    ],
  ])('refuse %s', async (_what, fields) => {
    const { id } = (await create()).body;
    const answer = await api.call('PATCH', `/api/streams/${String(id)}`, admin, fields);
    expect(answer.body).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('leave out an option that would be the prototype of the others', async () => {
    const { id } = (await create()).body;
    const fields = '{"chat":{"platform":"twitch","channel":"a","options":{"__proto__":{"x":1},"y":1}}}';
    const { body } = await api.call('PATCH', `/api/streams/${String(id)}`, admin, fields);
    expect(body['chat']).toEqual({ platform: 'twitch', channel: 'a', optionKeys: ['y'] });
  });

  it('take options that only look like what Postgres cannot keep', async () => {
    const options = { text: 'a \\u0000 in letters, a \\ud800 too', emoji: '😀' };
    expect((await create({ chat: { platform: 'a', channel: 'a', options } })).status).toBe(201);
  });
});
