import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { DataSource } from 'typeorm';
import type { ChatLine } from '#libs/contracts/chat.js';
import type { DetectionClosed, DetectionContext, DetectionOpened } from '#libs/contracts/facts.js';
import { DetectionView } from '#libs/contracts/sockets.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { until } from '#libs/testing/until.js';
import { TestApi } from '../test-api.fixture.js';
import { DetectionPage } from './detections.dto.js';
import { EVIDENCE_STORE } from './detections.service.js';
import { EvidenceLinks } from './evidence-links.js';

const WAV = Buffer.from('RIFF, as far as this is concerned');

describe('findings of every kind', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;
  let streamId: string;
  let elsewhere: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 13);
    admin = await api.token(await api.user('chief', 'admin'));
    const agentId = await api.user('watcher', 'agent');
    agent = await api.token(agentId);
    [streamId = '', elsewhere = ''] = await Promise.all(['Door', 'Yard'].map(stream));
    await api.call('POST', '/api/assignments', admin, { streamId, agentId });
  }, 60_000);

  afterAll(() => api.close());

  async function stream(name: string): Promise<string> {
    return String((await api.call('POST', '/api/streams', admin, { name, url: 'https://example.com/a' })).body['id']);
  }

  const common = (): Omit<Extract<DetectionOpened, { kind: 'chat' }>, 'kind' | 'quote' | 'message' | 'before'> => ({
    type: 'detection.opened',
    eventId: randomUUID(),
    streamId,
    session: 1,
    ruleId: randomUUID(),
    ruleVersion: 2,
    label: 'free offers',
    severity: 'high',
    confidence: 0.9,
    detector: 'phrases',
    model: 'phrases',
    detail: '',
    evidenceKey: null,
    clipKey: null,
    startedAt: 1_767_225_606_500,
    detectedAt: 1_767_225_606_600,
  });
  const line = (text: string): ChatLine => ({
    platform: 'twitch',
    externalId: randomUUID(),
    userId: '456',
    username: 'mallory',
    roles: [],
    text,
    sentAt: 1_767_225_606_500,
    kind: 'text',
  });
  const quoteOf = (text: string) => ({ text, start: 0, end: 4, view: 'plain', language: null });
  const read = (text = 'free offers here', changes: Partial<DetectionOpened> = {}): DetectionOpened =>
    ({
      ...common(),
      kind: 'chat',
      quote: quoteOf(text),
      message: line(text),
      before: [line('hello')],
      ...changes,
    }) as DetectionOpened;
  const heard = (changes: Partial<DetectionOpened> = {}): DetectionOpened =>
    ({ ...common(), kind: 'audio', quote: quoteOf('free'), segmentId: randomUUID(), ...changes }) as DetectionOpened;
  const followed = ({ eventId }: DetectionOpened, ...texts: string[]): DetectionContext => ({
    type: 'detection.context',
    eventId,
    streamId,
    session: 1,
    after: texts.map(line),
  });
  const get = async (id: string, token = admin): Promise<DetectionView> =>
    DetectionView.parse((await api.call('GET', `/api/detections/${id}`, token)).body);
  const afterOf = async ({ eventId }: DetectionOpened): Promise<string[] | undefined> =>
    (await get(eventId)).chat?.after.map(({ text }) => text);

  it('are kept and shown as they were told, a signal without a rule among them', async () => {
    const chat = read();
    const audio = heard();
    const signal = heard({ ruleId: null, ruleVersion: null, label: 'dead_air', detail: 'Silence.', quote: null });
    const quiet = { ...signal, eventId: randomUUID(), segmentId: null } as DetectionOpened;
    expect(await api.store(chat, audio, quiet)).toEqual([]);
    expect(await get(chat.eventId)).toMatchObject({
      kind: 'chat',
      detector: 'phrases',
      quote: { text: 'free offers here' },
      chat: { message: { username: 'mallory' }, before: [{ text: 'hello' }], after: [] },
      ...{ frame: null, box: null, imageUrl: null, clipUrl: null, ptsMs: null },
    });
    const { segmentId } = audio as Extract<DetectionOpened, { kind: 'audio' }>;
    expect(await get(audio.eventId)).toMatchObject({ kind: 'audio', segmentId, chat: null, quote: { text: 'free' } });
    expect(await get(quiet.eventId)).toMatchObject({
      ruleId: null,
      label: 'dead_air',
      quote: null,
      detail: 'Silence.',
    });
  });

  it('keep the lines that followed, once, however often they come, and know nothing of other events', async () => {
    const [opened, other] = [read(), read()];
    const context = followed(opened, 'one', 'two');
    // In the batch that opens it, twice, beside one of an event that nobody knows and one without chat.
    const deaf = heard();
    await api.store(context, opened, other, deaf, context, followed(read(), 'lost'), followed(deaf, 'what?'));
    expect(await afterOf(opened)).toEqual(['one', 'two']);
    expect(await api.store(followed(opened, 'an older fact, again'), followed(opened))).toEqual([]);
    expect(await afterOf(opened)).toEqual(['one', 'two']);
    expect(await afterOf(other)).toEqual([]);
    expect((await get(deaf.eventId)).chat).toBeNull();
  });

  it('are not lost by a character that Postgres cannot keep', async () => {
    const opened = read('free\u0000 offers \ud83d here 😀');
    expect(await api.store(opened, followed(opened, 'cut \ud83d'))).toEqual([]);
    const { quote, chat } = await get(opened.eventId);
    expect(quote?.text).toBe('free\ufffd offers \ufffd here 😀');
    expect(chat?.message?.text).toBe(quote?.text);
    expect(chat?.after[0]?.text).toBe('cut \ufffd');
  });

  it('are filtered by kind and detector', async () => {
    const mine = await stream(randomUUID());
    const facts = [
      read('a', { streamId: mine }),
      heard({ streamId: mine }),
      heard({ streamId: mine, detector: 'sound' }),
    ];
    await api.store(...facts);
    const ids = async (query: string): Promise<string[]> => {
      const { body } = await api.call('GET', `/api/streams/${mine}/detections?${query}`, admin);
      return DetectionPage.parse(body).items.map(({ id }) => id);
    };
    const [chat, words, sound] = facts.map(({ eventId }) => eventId);
    expect(await ids('kind=chat')).toEqual([chat]);
    expect(await ids('kind=audio')).toEqual([sound, words]);
    expect(await ids('kind=audio&detector=sound')).toEqual([sound]);
    expect(await ids('kind=video')).toEqual([]);
    for (const query of ['kind=smell', 'detector=%00', 'label=a%00']) {
      expect((await api.call('GET', `/api/detections?${query}`, admin)).status).toBe(400);
    }
  });

  it('tell people what was read and heard', async () => {
    const [chat, audio] = [read('free offers, only today'), heard()];
    await api.store(chat, audio);
    const { items } = (await api.call('GET', '/api/notifications?limit=2', agent)).body as { items: object[] };
    expect(items).toMatchObject([
      { detectionId: audio.eventId, title: '“free offers” said on Door', body: 'free' },
      { detectionId: chat.eventId, title: '“free offers” in chat of Door', body: 'mallory: free offers, only today' },
    ]);
  });

  it('end when they were seen last, by whichever session, and each end counts once however often it comes', async () => {
    const event = heard();
    const end = (session: number, afterMs: number, frames: number, peakConfidence: number): DetectionClosed => ({
      ...{ type: 'detection.closed', eventId: event.eventId, streamId, session, frames, peakConfidence },
      endedAt: event.detectedAt + afterMs,
    });
    const ended = async (): Promise<unknown> => {
      const sql =
        'SELECT (extract(epoch FROM ended_at) * 1000)::float8 AS at, frames, peak FROM detections WHERE id = $1';
      const [row] = await api.app
        .get(DataSource)
        .query<[{ at: number; frames: number; peak: number }]>(sql, [event.eventId]);
      return [Math.round(row.at) - event.detectedAt, row.frames, row.peak];
    };
    const [first, second] = [end(1, 5_000, 5, 0.9), end(2, 9_000, 4, 0.7)];
    await api.store(event, first);
    expect(await ended()).toEqual([5_000, 5, 0.9]);
    await api.store(second, second);
    expect(await ended()).toEqual([9_000, 9, 0.9]);
    await api.store(first, second);
    expect(await ended()).toEqual([9_000, 9, 0.9]);
  });

  it('reach the sockets of those who look after the stream, whatever their kind', async () => {
    const socket: Socket = io(api.url, { auth: { token: agent }, transports: ['websocket'], reconnection: false });
    try {
      await until(() => api.socketsOf(streamId).length > 0);
      const views: DetectionView[] = [];
      socket.on('detection', (view: DetectionView) => views.push(view));
      const facts = [read('hidden', { streamId: elsewhere }), read(), heard()];
      await api.store(...facts);
      await until(() => views.length === 2);
      expect(views.map(({ id, kind }) => [id, kind])).toEqual([
        [facts[1]?.eventId, 'chat'],
        [facts[2]?.eventId, 'audio'],
      ]);
      expect(views.map((view) => DetectionView.parse(view))).toEqual(views);
    } finally {
      socket.disconnect();
    }
  });

  describe('with a clip', () => {
    let mine: DetectionOpened;
    let others: DetectionOpened;

    beforeAll(async () => {
      mine = heard({ clipKey: 'clips/mine.wav' });
      others = heard({ clipKey: 'clips/others.wav', streamId: elsewhere });
      const store = api.app.get<EvidenceStore>(EVIDENCE_STORE, { strict: false });
      for (const key of ['clips/mine.wav', 'clips/others.wav']) await store.put(key, WAV);
      await api.store(mine, others);
    });

    const load = (path: string, token?: string): Promise<Response> =>
      fetch(api.url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    const pathOf = ({ eventId }: DetectionOpened): string => `/api/detections/${eventId}/clip`;

    it('let whoever may see them hear it', async () => {
      const response = await load(pathOf(mine), agent);
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'audio/wav',
        'x-content-type-options': 'nosniff',
        'cache-control': 'private, max-age=3600',
      });
      expect(Buffer.from(await response.arrayBuffer())).toEqual(WAV);
      expect((await load(pathOf(others), admin)).status).toBe(200);
      expect((await load(pathOf(others), agent)).status).toBe(404);
      for (const token of [undefined, 'nonsense']) expect((await load(pathOf(mine), token)).status).toBe(401);
    });

    it('say so when none was kept, or it was cleared', async () => {
      const [silent, cleared] = [heard(), heard({ clipKey: 'clips/cleared.wav' })];
      await api.store(silent, cleared);
      for (const fact of [silent, cleared]) {
        const answer = await api.call('GET', pathOf(fact), admin);
        expect(answer.body).toMatchObject({ status: 404, code: 'detection.clip.not_found' });
      }
    });

    it('link to it for an hour, and to nothing else', async () => {
      const link = (await get(mine.eventId, agent)).clipUrl ?? '';
      expect((await load(link)).status).toBe(200);
      const query = link.slice(link.indexOf('?'));
      const links = api.app.get(EvidenceLinks, { strict: false });
      const void_ = {
        'of another detection': pathOf(others) + query,
        'of the image': pathOf(mine).replace('clip', 'image') + query,
        'of an image, for the clip': links.linkTo(mine.eventId, 'image').replace('/image', '/clip'),
        expired: links.linkTo(mine.eventId, 'clip', Date.now() - 3_600_001),
        prolonged: link.replace(/expires=\d/, 'expires=9'),
        forged: `${link.slice(0, -2)}AA`,
      };
      const answers = await Promise.all(
        Object.entries(void_).map(async ([what, path]) => [what, (await load(path)).status]),
      );
      expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(Object.keys(void_).map((what) => [what, 401])));
    });
  });
});
