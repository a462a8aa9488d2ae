import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { DataSource } from 'typeorm';
import type { TranscriptWritten } from '#libs/contracts/facts.js';
import { TranscriptView } from '#libs/contracts/sockets.js';
import { until } from '#libs/testing/until.js';
import { TestApi } from '../test-api.fixture.js';
import { TranscriptHitPage, TranscriptPage } from './transcripts.dto.js';
import { MARKS, TranscriptsRepository } from './transcripts.repository.js';

const EPOCH = Date.parse('2026-01-01T00:00:00Z');
const MANY = 50_000;

describe('transcripts', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;
  let stranger: string;
  let agentId: string;
  let streamId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    admin = await api.token(await api.user('chief', 'admin'));
    agentId = await api.user('watcher', 'agent');
    agent = await api.token(agentId);
    stranger = await api.token(await api.user('stranger', 'agent'));
  }, 60_000);

  beforeEach(async () => {
    streamId = await stream();
    await api.call('POST', '/api/assignments', admin, { streamId, agentId });
  });

  afterAll(() => api.close());

  async function stream(): Promise<string> {
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    return String((await api.call('POST', '/api/streams', admin, body)).body['id']);
  }

  const said = (text: string, changes: Partial<TranscriptWritten> = {}): TranscriptWritten => ({
    type: 'transcript.written',
    segmentId: randomUUID(),
    streamId,
    session: 1,
    text,
    language: 'en',
    engine: 'sherpa',
    model: 'whisper-tiny',
    vadMean: 0.8,
    filters: [],
    startedAt: EPOCH,
    endedAt: EPOCH + 1_500,
    ...changes,
  });
  const list = async (query = '', token = agent): Promise<TranscriptPage> => {
    const { status, body } = await api.call('GET', `/api/streams/${streamId}/transcripts${query}`, token);
    expect(status).toBe(200);
    return TranscriptPage.parse(body);
  };
  type TranscriptPage = ReturnType<typeof TranscriptPage.parse>;
  const find = async (q: string, token = agent, more = `&streamId=${streamId}`) => {
    const { status, body } = await api.call('GET', `/api/transcripts?q=${encodeURIComponent(q)}${more}`, token);
    expect(status).toBe(200);
    return TranscriptHitPage.parse(body).items;
  };
  const texts = (items: readonly { text: string }[]): string[] => items.map(({ text }) => text);

  it('say who wrote them, newest first, page by cursor, once however often a fact comes', async () => {
    const facts = ['one', 'two', 'three'].map((text) => said(text));
    await api.store(...facts.slice(0, 2), ...facts);
    await api.store(...facts);
    const first = await list('?limit=2');
    const second = await list(`?limit=2&cursor=${String(first.nextCursor)}`);
    expect(texts([...first.items, ...second.items])).toEqual(['three', 'two', 'one']);
    expect(second.nextCursor).toBeNull();
    expect(first.items[0]).toMatchObject({
      id: facts[2]?.segmentId,
      engine: 'sherpa',
      model: 'whisper-tiny',
      language: 'en',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:01.500Z',
    });
  });

  it('are replayed to a client of the captions that was away, oldest first, page by page', async () => {
    await api.store(...['one', 'two', 'three', 'four', 'five', 'six'].map((text) => said(text)));
    const seq = (await list('', agent)).items.at(-2)?.seq;
    const first = await list(`?after=${String(seq)}&limit=2`, agent);
    const second = await list(`?limit=2&cursor=${String(first.nextCursor)}`, agent);
    expect(texts([...first.items, ...second.items])).toEqual(['three', 'four', 'five', 'six']);
    expect(second.nextCursor).toBeNull();
    const newest = String(second.items.at(-1)?.seq);
    expect((await list(`?after=${newest}`, agent)).items).toEqual([]);
    await api.store(said('seven'));
    expect(texts((await list(`?after=${newest}`, agent)).items)).toEqual(['seven']);
    expect((await list(`?after=0`, stranger)).items).toEqual([]);
    expect((await api.call('GET', `/api/streams/${streamId}/transcripts?after=-1`, agent)).status).toBe(400);
  });

  it('are found by time and by words', async () => {
    await api.store(
      ...['one cat', 'two dogs', 'three cats'].map((text, at) => said(text, { startedAt: EPOCH + at * 1_000 })),
    );
    expect(texts((await list('?from=2026-01-01T00:00:01Z')).items)).toEqual(['three cats', 'two dogs']);
    expect(texts((await list('?to=2026-01-01T00:00:01Z')).items)).toEqual(['one cat']);
    expect(texts((await list('?q=dogs')).items)).toEqual(['two dogs']);
    for (const query of ['?q=', '?q=a%00', '?from=yesterday', '?cursor=nonsense', `?q=${'x'.repeat(201)}`]) {
      const { status } = await api.call('GET', `/api/streams/${streamId}/transcripts${query}`, admin);
      expect(status).toBe(400);
    }
    expect((await api.call('GET', '/api/transcripts', admin)).status).toBe(400);
  });

  it('of a stream that was deleted are left out, and nothing else with them', async () => {
    expect(await api.store(said('nowhere', { streamId: randomUUID() }), said('here'))).toEqual([]);
    expect(texts((await list()).items)).toEqual(['here']);
  });

  it('show what was found as plain text with offsets, whatever was said', async () => {
    const hostile = '<b>free</b> \u0002offers\u0003 & FREE 😀 offers <script>';
    await api.store(said(hostile), said('nothing of the kind'), said('an offer for free'), said('it was made for us'));
    const [hit, ...rest] = await find('"free offers"');
    expect(rest).toEqual([]);
    expect(hit?.text).toBe(hostile);
    const { text = '', highlights = [] } = hit?.fragment ?? {};
    for (const mark of Object.values(MARKS)) expect(text).not.toContain(mark);
    expect(highlights.map(({ start, end }) => text.slice(start, end).toLowerCase())).toEqual([
      'free',
      'offers',
      'free',
      'offers',
    ]);
    expect(texts(await find('free -offers'))).toEqual(['an offer for free']);
    expect(texts(await find('kind or offer'))).toEqual(['an offer for free', 'nothing of the kind']);
    for (const query of [`'); DROP TABLE users; --`, '!!! & | <->', '"', '-', ':*'])
      expect(await find(query)).toEqual([]);
  });

  it('are for those who look after the stream', async () => {
    await api.store(said('a secret plan'));
    expect(texts((await list('', stranger)).items)).toEqual([]);
    expect(await find('secret', stranger)).toEqual([]);
    expect(await find('secret', stranger, '')).toEqual([]);
    expect(texts((await list('', admin)).items)).toEqual(['a secret plan']);
    expect(texts(await find('secret', agent, ''))).toEqual(['a secret plan']);
  });

  it('are live captions to the agent of the stream, and to no other', async () => {
    const sockets: Socket[] = [agent, stranger].map((token) =>
      io(api.url, { auth: { token }, transports: ['websocket'], reconnection: false }),
    );
    const heard: TranscriptView[][] = sockets.map(() => []);
    try {
      sockets.forEach((socket, index) => socket.on('transcript', (view: TranscriptView) => heard[index]?.push(view)));
      await until(() => sockets.every(({ connected }) => connected) && api.socketsOf(streamId).length === 1);
      const facts = [said('first words'), said('last words')];
      await api.store(...facts);
      await api.store(...facts);
      // Once: what comes to all, after that, says that nothing more is on its way.
      const asked = sockets.map((socket) => new Promise((done) => socket.once('assignment_update', done)));
      for (const userId of [agentId, await idOf('stranger')]) {
        api.events.emit('assignment.changed', { streamId, agentId: userId, change: 'assigned' });
      }
      await Promise.all(asked);
      expect(heard.map(texts)).toEqual([['first words', 'last words'], []]);
      expect(TranscriptView.parse(heard[0]?.[0])).toEqual((await list()).items[1]);
    } finally {
      for (const socket of sockets) socket.disconnect();
    }
  });

  it(`are searched by the index among ${String(MANY)} of them`, async () => {
    const dataSource = api.app.get(DataSource);
    await dataSource.query(
      `INSERT INTO transcripts (id, stream_id, session, text, engine, model, vad_mean, filters, started_at, ended_at)
         SELECT gen_random_uuid(), $1, 1,
           'some words about topic ' || n % 700 || ' and thing ' || n, 'test', 'test', 0.5, '{}', now(), now()
         FROM generate_series(1, $2::int) n`,
      [streamId, MANY],
    );
    await dataSource.query('VACUUM ANALYZE transcripts');
    const repository = api.app.get(TranscriptsRepository, { strict: false });
    for (const reader of [null, agentId]) {
      const filter = { agentId: reader, q: '"thing 4711"', before: null, limit: 51 };
      const plan = await dataSource.query<Record<string, string>[]>(
        ...explained((await repository.select(filter)).getQueryAndParameters()),
      );
      const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
      expect(lines).toContain('Bitmap Index Scan on transcripts_search_idx');
      expect(lines).not.toContain('Seq Scan on transcripts');
      expect(texts(await repository.list(filter))).toEqual([`some words about topic ${4711 % 700} and thing 4711`]);
    }
  }, 60_000);

  it('are found page by page, none twice and none left out, however common the word', async () => {
    const repository = api.app.get(TranscriptsRepository, { strict: false });
    // In every row, in some 70, and in one: pages end within the first stretch, within the last, and never fill.
    for (const [q, limit] of [
      ['topic', 9_000],
      ['"topic 42"', 40],
      ['"thing 12"', 51],
    ] as const) {
      const seqs: bigint[] = [];
      let before: string | null = null;
      do {
        const page: { seq: string }[] = await repository.list({ agentId: null, q, before, limit });
        seqs.push(...page.map(({ seq }) => BigInt(seq)));
        before = page.length < limit ? null : (page.at(-1)?.seq ?? null);
      } while (before !== null);
      const [row] = await api.app.get(DataSource).query<{ seqs: string[] | null }[]>(
        `SELECT array_agg(seq::text ORDER BY seq DESC) AS seqs FROM transcripts
         WHERE search @@ websearch_to_tsquery('simple', $1)`,
        [q],
      );
      expect([q, seqs.length, seqs.map(String).join() === row?.seqs?.join()]).toEqual([q, row?.seqs?.length, true]);
    }
  }, 60_000);

  const explained = ([sql, parameters]: [string, unknown[]]): [string, unknown[]] => [`EXPLAIN ${sql}`, parameters];

  async function idOf(username: string): Promise<string> {
    const [row] = await api.app
      .get(DataSource)
      .query<{ id: string }[]>('SELECT id FROM users WHERE username = $1', [username]);
    return row?.id ?? '';
  }
});
