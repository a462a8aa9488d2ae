import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import type { CoverageSpan } from '#libs/contracts/coverage.js';
import type { CoverageObserved } from '#libs/contracts/facts.js';
import type { NotificationView } from '#libs/contracts/sockets.js';
import { TestApi } from '../test-api.fixture.js';
import type { CoverageSeries, StreamCoverage } from './coverage.dto.js';
import { CoverageHoursRepository } from './coverage-hours.repository.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The real api on a real Postgres; the monitors' facts are stored as the ingest stores them. */
describe('the coverage of streams', () => {
  let api: TestApi;
  let db: DataSource;
  let admin: string;
  let ann: string;
  let bob: string;
  /** An hour that is over. */
  const hour = (Math.floor(Date.now() / HOUR_MS) - 3) * HOUR_MS;
  const at = (minutes: number): number => hour + minutes * MINUTE_MS;

  beforeAll(async () => {
    // What is seeded lies hours back: nothing of it is for the alarm.
    api = await TestApi.start({ BLIND_AFTER_MS: '0' }, 12);
    db = api.app.get(DataSource);
    admin = await api.token(await api.user('chief', 'admin'));
    ann = await api.token(await api.user('ann', 'agent'));
    bob = await api.token(await api.user('bob', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  /** A stream of Ann's that should be watched from one minute of the hour up to another. */
  async function watchedStream(from: number, to: number | null, parts = ['video']): Promise<string> {
    const made = await api.call('POST', '/api/streams', admin, { name: randomUUID(), url: 'https://example.com/a' });
    const id = String(made.body['id']);
    await db.query(`UPDATE streams SET desired = true, parts = $2 WHERE id = $1`, [id, parts]);
    if (to !== null) await db.query(`UPDATE streams SET desired = false WHERE id = $1`, [id]);
    await db.query(`UPDATE watch_periods SET started_at = $2, ended_at = $3 WHERE stream_id = $1`, [
      ...[id, new Date(at(from)), to === null ? null : new Date(at(to))],
    ]);
    await db.query(`INSERT INTO assignments (stream_id, agent_id) SELECT $1, id FROM users WHERE username = 'ann'`, [
      id,
    ]);
    return id;
  }

  type Said = [part: CoverageSpan['part'], gap: CoverageSpan['gap'], from: number, to: number];

  function fact(streamId: string, said: readonly Said[], changes: Partial<CoverageObserved> = {}): CoverageObserved {
    const spans = said.map(([part, gap, from, to]) => ({ part, gap, startedAt: at(from), endedAt: at(to) }));
    return {
      ...{ type: 'coverage.observed', streamId, session: 1, monitorId: 'm1', isLast: false, spans },
      ...changes,
    };
  }

  async function coverage(id: string, query = '', token = admin): Promise<StreamCoverage> {
    const period = `from=${new Date(at(0)).toISOString()}&to=${new Date(at(60)).toISOString()}`;
    const answer = await api.call('GET', `/api/streams/${id}/coverage?${period}&${query}`, token);
    expect(answer.status).toBe(200);
    return answer.body as unknown as StreamCoverage;
  }

  const stretches = ({ items }: StreamCoverage): unknown[] =>
    items.map(({ from, to, reason, ms }) => {
      expect(ms).toBe(Date.parse(to) - Date.parse(from));
      return [reason, (Date.parse(from) - hour) / MINUTE_MS, (Date.parse(to) - hour) / MINUTE_MS];
    });

  it('of one stream holds every minute: what was said, and what nobody said', async () => {
    const id = await watchedStream(0, 50);
    await api.store(
      fact(id, [['video', 'starting', 5, 6], ['video', null, 6, 20]], {}),
      fact(id, [['video', null, 25, 30], ['video', 'offline', 30, 40]], { session: 2, isLast: true }),
      fact(id, [['video', null, 42, 45]], { session: 3 }),
    ); // prettier-ignore
    const all = await coverage(id);
    expect(stretches(all)).toEqual([
      ['unassigned', 0, 5],
      ['starting', 5, 6],
      [null, 6, 20],
      ['crash', 20, 25],
      [null, 25, 30],
      ['offline', 30, 40],
      ['restarting', 40, 42],
      [null, 42, 45],
      ['crash', 45, 50],
    ]);
    expect(all.totals).toEqual([
      {
        part: 'video',
        ...{ expectedMs: 50 * MINUTE_MS, liveMs: 40 * MINUTE_MS, watchedMs: 22 * MINUTE_MS },
        gaps: expect.arrayContaining([
          { reason: 'offline', ms: 10 * MINUTE_MS },
          { reason: 'crash', ms: 10 * MINUTE_MS },
        ]) as unknown,
      },
    ]);
    const pages: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: StreamCoverage = await coverage(id, `limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(4);
      pages.push(...stretches(page));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual(stretches(all));
  });

  it('is the same however often and in whatever order it is said', async () => {
    const id = await watchedStream(0, 60, ['audio']);
    const facts = [
      fact(id, [['audio', null, 0, 10], ['speech', 'model_missing', 0, 10]]),
      fact(id, [['audio', null, 0, 20], ['speech', 'model_missing', 0, 20]]),
      fact(id, [['audio', null, 0, 30], ['speech', 'model_missing', 0, 30]], { isLast: true }),
    ]; // prettier-ignore
    await api.store(...facts, ...facts);
    const once = await coverage(id, 'part=audio');
    expect(stretches(once)).toEqual([
      [null, 0, 30],
      ['restarting', 30, 60],
    ]);
    for (const one of [...facts].reverse()) await api.store(one);
    expect(await coverage(id, 'part=audio')).toEqual(once);
    expect(once.totals.map(({ part, watchedMs }) => [part, watchedMs])).toEqual([
      ['audio', 30 * MINUTE_MS],
      ['speech', 0],
    ]);
  });

  it('begins and ends with the wish of whoever starts and stops a stream, or changes its parts', async () => {
    const made = await api.call('POST', '/api/streams', admin, { name: 'wanted', url: 'https://example.com/b' });
    const id = String(made.body['id']);
    const open = async (): Promise<string[]> =>
      (
        await db.query<{ part: string }[]>(
          'SELECT part FROM watch_periods WHERE stream_id = $1 AND ended_at IS NULL ORDER BY 1',
          [id],
        )
      ).map(({ part }) => part);
    expect(await open()).toEqual([]);
    await api.call('PATCH', `/api/streams/${id}`, admin, { parts: ['video', 'audio'] });
    await api.call('POST', `/api/monitoring/stream/${id}/start`, admin);
    expect(await open()).toEqual(['audio', 'speech', 'video']);
    await api.call('PATCH', `/api/streams/${id}`, admin, { parts: ['video', 'chat'] });
    expect(await open()).toEqual(['chat', 'video']);
    await api.call('POST', `/api/monitoring/stream/${id}/stop`, admin);
    expect(await open()).toEqual([]);
    const [row] = await db.query<{ count: number }[]>(
      'SELECT count(*)::int AS count FROM watch_periods WHERE stream_id = $1',
      [id],
    );
    expect(row?.count).toBe(4);
  });

  it('over time comes from sums that follow what is said late', async () => {
    const id = await watchedStream(0, 90);
    const hours = api.app.get(CoverageHoursRepository, { strict: false });
    const sum = (): Promise<void> => hours.bringUpToDate(Date.now(), Date.now() - MINUTE_MS);
    const points = async (by: string): Promise<CoverageSeries['series']> => {
      const period = `from=${new Date(at(1)).toISOString()}&to=${new Date(at(120)).toISOString()}`;
      const path = `/api/analytics/coverage?${period}&bucket=hour&by=${by}&streamId=${id}&part=video`;
      return ((await api.call('GET', path, admin)).body as unknown as CoverageSeries).series;
    };
    await sum();
    const [blind] = await points('stream');
    expect(blind).toMatchObject({ key: id, part: 'video', totals: { expectedMs: 90 * MINUTE_MS, watchedMs: 0 } });
    await api.store(fact(id, [['video', null, 0, 60], ['video', null, 60, 80]])); // prettier-ignore
    await sum();
    const [line] = await points('part');
    expect(line?.points.map(({ at: when, watchedMs, gaps }) => [Date.parse(when) - hour, watchedMs, gaps])).toEqual([
      [0, 60 * MINUTE_MS, []],
      [HOUR_MS, 20 * MINUTE_MS, [{ reason: 'crash', ms: 10 * MINUTE_MS }]],
    ]);
    // The page of the stream reads whole hours from the sums, and comes to the same.
    const wide = `from=${new Date(at(-30)).toISOString()}&to=${new Date(at(120)).toISOString()}`;
    const page = await api.call('GET', `/api/streams/${id}/coverage?${wide}`, admin);
    expect((page.body as unknown as StreamCoverage).totals).toEqual([
      { part: 'video', ...line?.totals },
    ]); // prettier-ignore
  });

  it('is shown to who may see the stream, and asks for what can be shown', async () => {
    const id = await watchedStream(0, 50);
    expect((await api.call('GET', `/api/streams/${id}/coverage`, ann)).status).toBe(200);
    expect((await api.call('GET', `/api/streams/${id}/coverage`, bob)).status).toBe(404);
    expect((await api.call('GET', '/api/analytics/coverage', ann)).status).toBe(403);
    for (const query of ['from=2030-01-01T00:00:00Z', 'part=smell', 'cursor=x', 'from=2020-01-01T00:00:00Z']) {
      expect((await api.call('GET', `/api/streams/${id}/coverage?${query}`, admin)).status).toBe(400);
    }
  });

  it('of a stream that is no more is neither kept nor puts its fact aside', async () => {
    expect(await api.store(fact(randomUUID(), [['video', null, 0, 10]]))).toEqual([]);
  });
});

describe('a stream that nobody watches', () => {
  let api: TestApi;
  let db: DataSource;
  let admin: string;
  let ann: string;

  beforeAll(async () => {
    api = await TestApi.start({ BLIND_AFTER_MS: '1500', COVERAGE_CHECK_MS: '100', NOTIFY_IN_APP_MS: '0' }, 12);
    db = api.app.get(DataSource);
    admin = await api.token(await api.user('chief', 'admin'));
    ann = await api.token(await api.user('ann', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  async function stream(name: string): Promise<string> {
    const made = await api.call('POST', '/api/streams', admin, { name, url: 'https://example.com/a' });
    const id = String(made.body['id']);
    await db.query(`INSERT INTO assignments (stream_id, agent_id) SELECT $1, id FROM users WHERE username = 'ann'`, [
      id,
    ]);
    return id;
  }

  async function told(token: string, streamId: string): Promise<NotificationView[]> {
    const { body } = await api.call('GET', '/api/notifications?limit=100', token);
    return (body['items'] as NotificationView[]).filter((one) => one.streamId === streamId).reverse();
  }

  async function toldOf(token: string, streamId: string, count: number): Promise<NotificationView[]> {
    for (let round = 0; round < 150; round += 1) {
      const all = await told(token, streamId);
      if (all.length >= count) return all;
      await sleep(100);
    }
    throw new Error(`waited in vain for ${String(count)} notifications`);
  }

  /** Says that a part was watched, or not, until now. */
  async function say(streamId: string, gap: CoverageSpan['gap'], sinceMs: number, session = 1): Promise<void> {
    const now = Date.now();
    const spans = [{ part: 'video' as const, gap, startedAt: now - sinceMs, endedAt: now }];
    // A test that runs across the full hour has its span cut there, as monitors do.
    const border = Math.floor(now / HOUR_MS) * HOUR_MS;
    const kept = spans.map((span) => ({ ...span, startedAt: Math.max(span.startedAt, border - 1) }));
    await api.store({ type: 'coverage.observed', streamId, session, monitorId: 'm1', isLast: false, spans: kept });
  }

  it('is told of once to its agents and admins, and once more when somebody watches it', async () => {
    const id = await stream('door');
    await api.call('PATCH', `/api/streams/${id}`, admin, { parts: ['video'] });
    await api.call('POST', `/api/monitoring/stream/${id}/start`, admin);
    for (const token of [admin, ann]) {
      const [blind, ...more] = await toldOf(token, id, 1);
      expect(more).toEqual([]);
      expect(blind).toMatchObject({ kind: 'notice', severity: 'high', title: 'Not watched: door', detectionId: null });
      expect(blind?.body).toMatch(/^The picture is not watched since .*: no monitor has taken it\.$/);
    }
    await sleep(500);
    expect(await told(ann, id)).toHaveLength(1);
    const escalating = 'SELECT 1 FROM alerts WHERE stream_id = $1 AND escalate_at IS NOT NULL';
    expect(await db.query(escalating, [id])).toHaveLength(1);

    await say(id, null, 100);
    const [, over] = await toldOf(ann, id, 2);
    expect(over).toMatchObject({ kind: 'notice', title: 'No longer blind: door' });
    expect(over?.body).toMatch(/^The picture is watched again; it was not watched for \d+ s\.$/);
    expect(await db.query(escalating, [id])).toHaveLength(0);
    const [episode] = await db.query<{ gap: string; seconds: number }[]>(
      `SELECT gap, extract(epoch FROM ended_at - started_at)::float8 AS seconds FROM blind_episodes WHERE stream_id = $1`,
      [id],
    );
    expect(episode?.gap).toBe('unassigned');
    expect(episode?.seconds).toBeGreaterThan(1.5);

    // Nothing is heard any more: the next episode, with its own reason.
    const [, , again] = await toldOf(ann, id, 3);
    expect(again?.body).toContain('nothing is heard of its monitor any more');
    await api.call('POST', `/api/monitoring/stream/${id}/stop`, admin);
    await sleep(500);
    expect(await told(ann, id)).toHaveLength(3);
    const open = 'SELECT 1 FROM blind_episodes WHERE stream_id = $1 AND ended_at IS NULL';
    expect(await db.query(open, [id])).toHaveLength(0);
  }, 60_000);

  it('is not told of while it is off air, but while its source asks for a key', async () => {
    const [away, locked] = [await stream('away'), await stream('locked')];
    for (const id of [away, locked]) {
      await api.call('PATCH', `/api/streams/${id}`, admin, { parts: ['video'] });
      await api.call('POST', `/api/monitoring/stream/${id}/start`, admin);
    }
    for (let round = 1; round <= 30 && (await told(ann, locked)).length === 0; round += 1) {
      await say(away, 'offline', 400, round);
      await say(locked, 'token', 400, round);
      await sleep(200);
    }
    const [blind] = await told(ann, locked);
    expect(blind?.body).toContain('its source asks for a key');
    expect(await told(ann, away)).toEqual([]);
  }, 60_000);
});
