import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { REDIS } from '#libs/contracts/names.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { connectRedis } from '#libs/bus/redis.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { EVIDENCE_STORE } from '../detections/detections.service.js';
import { TestApi } from '../test-api.fixture.js';
import { Pace } from './pace.js';
import { RetentionService } from './retention.service.js';

const DAYS = {
  RETENTION_INTERVAL_MS: '0',
  RETENTION_DETECTIONS_DAYS: '10',
  RETENTION_REVIEWED_DAYS: '100',
  RETENTION_TRANSCRIPTS_DAYS: '10',
  RETENTION_NOTIFICATIONS_DAYS: '10',
  RETENTION_MESSAGES_DAYS: '10',
  RETENTION_AUDIT_DAYS: '40',
  RETENTION_EVIDENCE_MAX_MB: '1',
};

describe('retention', () => {
  let api: TestApi;
  let admin: string;
  let agent: { id: string; token: string };
  let streamId: string;

  beforeAll(async () => {
    api = await TestApi.start(DAYS);
    admin = await api.token(await api.user('keeper', 'admin'));
    const id = await api.user('watcher', 'agent');
    agent = { id, token: await api.token(id) };
    const stream = await api.call('POST', '/api/streams', admin, { name: 'door', url: 'https://example.com/a.m3u8' });
    streamId = String(stream.body['id']);
    await api.call('POST', '/api/assignments', admin, { agentId: id, streamId });
  }, 60_000);
  afterAll(() => api.close());

  const sql = <Row>(statement: string, values: unknown[] = []): Promise<Row[]> =>
    api.app.get(DataSource, { strict: false }).query<Row[]>(statement, values);
  const retention = (): RetentionService => api.app.get(RetentionService, { strict: false });
  const sweep = (): Promise<void> => retention().sweep(new AbortController().signal);
  const store = (): EvidenceStore => api.app.get<EvidenceStore>(EVIDENCE_STORE, { strict: false });
  const ids = async (table: string): Promise<string[]> =>
    (await sql<{ id: string }>(`SELECT id FROM ${table}`)).map(({ id }) => id).sort();
  /** Makes rows as old as so many days. */
  const age = (table: string, days: number, ...keys: string[]): Promise<unknown> =>
    sql(`UPDATE ${table} SET created_at = now() - make_interval(days => $1) WHERE id = ANY($2)`, [days, keys]);
  const detect = async (): Promise<string> => (await api.detect(streamId)).id;
  const imageOf = (id: string): Promise<Buffer | null> => store().read(`detections/${streamId}/${id}.jpg`);

  it('removes old detections with their files, not those that are kept or were judged', async () => {
    const [young, old, kept, judged, veryOld] = [
      await detect(),
      await detect(),
      await detect(),
      await detect(),
      await detect(),
    ];
    await api.call('PUT', `/api/detections/${judged}/verdict`, admin, { verdict: 'true' });
    await api.call('PUT', `/api/detections/${veryOld}/verdict`, admin, { verdict: 'false' });
    const answer = await api.call('PATCH', `/api/detections/${kept}`, agent.token, { keep: true });
    expect(answer).toMatchObject({ status: 200, body: { id: kept, keep: true } });
    await age('detections', 11, old, judged);
    await age('detections', 400, kept, veryOld);
    await sweep();
    expect(await ids('detections')).toEqual([young, kept, judged].sort());
    expect(await Promise.all([imageOf(old), imageOf(veryOld)])).toEqual([null, null]);
    expect(await imageOf(kept)).not.toBeNull();
    expect(await sql('SELECT key FROM evidence_removals')).toEqual([]);
    const list = await api.call('GET', '/api/detections?keep=true', admin);
    expect(list.body['items']).toEqual([expect.objectContaining({ id: kept, keep: true })]);
    const counted = await sql(
      `SELECT key, count FROM detection_hours WHERE dimension = 'verdict' AND stream_id = $1 ORDER BY key`,
      [streamId],
    );
    expect(counted).toEqual([
      { key: 'none', count: 2 },
      { key: 'true', count: 1 },
    ]);
    const [entry] = (await api
      .call('GET', '/api/logs?action=detection.kept', admin)
      .then(({ body }) => body['items'])) as object[];
    expect(entry).toMatchObject({ targetId: kept, before: { keep: false }, after: { keep: true } });

    await api.call('PATCH', `/api/detections/${kept}`, admin, { keep: false });
    await sweep();
    expect(await ids('detections')).toEqual([young, judged].sort());
    await sql('DELETE FROM detections');
    await sweep();
  }, 60_000);

  it('removes the files of a stream that was deleted', async () => {
    const made = await api.call('POST', '/api/streams', admin, { name: 'window', url: 'https://example.com/b.m3u8' });
    const other = String(made.body['id']);
    const { id } = await api.detect(other);
    await api.call('DELETE', `/api/streams/${other}`, admin);
    expect(await store().read(`detections/${other}/${id}.jpg`)).not.toBeNull();
    await sweep();
    expect(await store().read(`detections/${other}/${id}.jpg`)).toBeNull();
  });

  it('removes the oldest evidence beyond the limit, judged ones last, kept ones and attachments never', async () => {
    const some = Buffer.alloc(300_000);
    const made: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      const id = await detect();
      await store().put(`detections/${streamId}/${id}.jpg`, some);
      made.push(id);
    }
    await store().put('attachments/x', Buffer.alloc(5_000_000));
    const [kept = '', judged = '', ...others] = made;
    await api.call('PATCH', `/api/detections/${kept}`, admin, { keep: true });
    await api.call('PUT', `/api/detections/${judged}/verdict`, admin, { verdict: 'unsure' });
    await sweep();
    const left = await ids('detections');
    expect(left).toEqual(expect.arrayContaining([kept, judged]));
    expect(others.some((id) => left.includes(id))).toBe(false);
    expect(await store().bytes((key) => !key.startsWith('attachments/'))).toBeLessThanOrEqual(2 ** 20);
    expect(await store().bytes((key) => key.startsWith('attachments/'))).toBe(5_000_000);
    await sql('DELETE FROM detections');
    await sweep();
  }, 60_000);

  it('keeps what was said for a finding that is kept', async () => {
    const [quoted, unquoted] = [randomUUID(), randomUUID()];
    for (const id of [quoted, unquoted]) {
      await sql(
        `INSERT INTO transcripts (id, stream_id, session, text, engine, model, vad_mean, filters, started_at, ended_at)
         VALUES ($1, $2, 1, 'words', 'whisper', 'tiny', 1, '{}', now(), now())`,
        [id, streamId],
      );
    }
    await age('transcripts', 30, quoted, unquoted);
    const detection = await detect();
    await sql('UPDATE detections SET segment_id = $1, keep = true WHERE id = $2', [quoted, detection]);
    await sweep();
    expect(await ids('transcripts')).toEqual([quoted]);
  });

  it('removes old notifications with their deliveries and alerts, and what is still to be sent not', async () => {
    const [done, open] = [randomUUID(), randomUUID()];
    const alert = randomUUID();
    await sql('DELETE FROM notifications');
    await sql(
      `INSERT INTO alerts (id, stream_id, rule_key, label, detection_id, title, body, severity, count, opened_at, closes_at, last_at)
       VALUES ($1, $2, 'r', 'person', $1, 't', 'b', 'high', 1, now() - interval '30 days', now() - interval '30 days', now())`,
      [alert, streamId],
    );
    for (const [id, state] of [
      [done, 'sent'],
      [open, 'pending'],
    ] as const) {
      await sql(
        `INSERT INTO notifications (id, user_id, kind, title, body, severity) VALUES ($1, $2, 'message', 't', 'b', 'info')`,
        [id, agent.id],
      );
      await sql(
        `INSERT INTO deliveries (id, kind, channel, user_id, notification_id, alert_id, state, due_at)
         VALUES ($1, 'single', 'email', $2, $1, $3, $4, now() + interval '1 day')`,
        [id, agent.id, alert, state],
      );
    }
    await age('notifications', 11, done, open);
    await age('deliveries', 11, done, open);
    await sweep();
    expect(await ids('notifications')).toEqual([open]);
    expect(await ids('deliveries')).toEqual([open]);
    expect(await ids('alerts')).toContain(alert);
    await sql(`UPDATE deliveries SET state = 'dead'`);
    await sweep();
    expect([...(await ids('notifications')), ...(await ids('deliveries'))]).toEqual([]);
    expect(await ids('alerts')).not.toContain(alert);
  });

  it('shortens the audit trail by age alone, and says so in it', async () => {
    await sql(
      `INSERT INTO audit_entries (at, actor_name, action, target_type, target_id)
       VALUES (now() - interval '50 days', 'x', 'old.entry', 't', '1'), (now() - interval '20 days', 'x', 'new.entry', 't', '2')`,
    );
    await expect(sql(`DELETE FROM audit_entries WHERE action = 'old.entry'`)).rejects.toThrow('append-only');
    await sweep();
    const actions = (await sql<{ action: string }>('SELECT action FROM audit_entries')).map(({ action }) => action);
    expect(actions).not.toContain('old.entry');
    expect(actions).toEqual(expect.arrayContaining(['new.entry', 'audit.cleared']));
    const early = api.app.get(DataSource, { strict: false }).transaction(async (tx) => {
      await tx.query(`SELECT set_config('vigil.audit_removed_before', 'infinity', true)`);
      await tx.query(`DELETE FROM audit_entries WHERE action = 'new.entry'`);
    });
    await expect(early).rejects.toThrow('append-only');
  });

  it('removes facts that were put aside long ago', async () => {
    const redis = connectRedis(testRedisUrl(9), 'test', createLogger('test', 'silent'));
    await redis.xadd(REDIS.deadFacts, `${String(Date.now() - 31 * 86_400_000)}-0`, 'fact', 'old');
    await redis.xadd(REDIS.deadFacts, '*', 'fact', 'new');
    await sweep();
    expect(await redis.xlen(REDIS.deadFacts)).toBe(1);
    redis.disconnect();
  });

  it('goes on with the rest when a part fails, and counts it', async () => {
    const { faults } = retention().stats;
    await sql('ALTER TABLE transcripts RENAME TO hidden');
    const old = await detect();
    await age('detections', 11, old);
    await sweep();
    await sql('ALTER TABLE hidden RENAME TO transcripts');
    expect(retention().stats.faults).toBe(faults + 1);
    expect(await ids('detections')).not.toContain(old);
  });
});

describe('a batch that meets dear rows', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start(DAYS);
  }, 60_000);
  afterAll(() => api.close());

  it('is rolled back and halved before anybody waits for it for long, and all go in the end', async () => {
    const admin = await api.token(await api.user('keeper', 'admin'));
    const stream = await api.call('POST', '/api/streams', admin, { name: 'door', url: 'https://example.com/a.m3u8' });
    const sql = (statement: string, values: unknown[] = []): Promise<unknown> =>
      api.app.get(DataSource, { strict: false }).query(statement, values);
    const { id } = await api.detect(String(stream.body['id']));
    const columns = (
      (await sql(
        `SELECT column_name AS name FROM information_schema.columns
         WHERE table_name = 'detections' AND column_name NOT IN ('id', 'seq') AND is_generated = 'NEVER'`,
      )) as { name: string }[]
    ).map(({ name }) => name);
    await sql(
      `INSERT INTO detections (id, ${columns.join(', ')})
       SELECT gen_random_uuid(), ${columns.join(', ')} FROM detections, generate_series(1, 119) WHERE id = $1`,
      [id],
    );
    await sql(`UPDATE detections SET created_at = now() - interval '11 days'`);
    // Ten milliseconds each: the first batch would take 1.2 s.
    await sql(`CREATE FUNCTION dear() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(0.01); RETURN old; END'`);
    await sql('CREATE TRIGGER dear BEFORE DELETE ON detections FOR EACH ROW EXECUTE FUNCTION dear()');
    const { stats } = api.app.get(RetentionService, { strict: false });
    await api.app.get(RetentionService, { strict: false }).sweep(new AbortController().signal);
    expect(stats).toMatchObject({ faults: 0, removed: { detections: 120 } });
    expect(stats.overruns).toBeGreaterThan(0);
    expect(await sql('SELECT id FROM detections')).toEqual([]);
  }, 60_000);
});

describe('the pace of retention', () => {
  it('takes smaller batches when they are slow, larger ones when they are fast, and rests as long as it works', async () => {
    const [rests, sizes]: [number[], number[]] = [[], []];
    let now = 0;
    const pace = new Pace(
      new AbortController().signal,
      () => now,
      (ms) => Promise.resolve(void rests.push(ms)),
    );
    for (const ms of [400, 400, 400, 400, 10, 10]) {
      await pace.step((size) => {
        sizes.push(size);
        now += ms;
        return Promise.resolve();
      });
    }
    expect(sizes).toEqual([200, 100, 50, 25, 20, 40]);
    expect(rests).toEqual([400, 400, 400, 400, 10, 10]);
  });
});
