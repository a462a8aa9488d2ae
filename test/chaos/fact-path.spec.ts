import pg from 'pg';
import { DeadFacts } from '#libs/bus/dead-facts.js';
import { REDIS } from '#libs/contracts/names.js';
import type { DetectionOpened } from '#libs/contracts/facts.js';
import type { Ingest } from '../../apps/api/src/detections/ingest.js';
import type { Spool } from '../../apps/monitor/src/outbox/spool.js';
import { FactPath, until } from './fact-path.js';

describe('the fact path, from spool to row', () => {
  let path: FactPath;

  beforeEach(async () => {
    path = await FactPath.open();
  });
  afterEach(() => path.close());

  async function append(spool: Spool, facts: readonly DetectionOpened[]): Promise<void> {
    await Promise.all(facts.map((fact) => spool.append(fact)));
  }
  const some = (count: number): DetectionOpened[] => Array.from({ length: count }, () => path.opened());
  const queued = (count: number): Promise<void> =>
    until(async () => (await path.redis.xlen(REDIS.facts)) >= count, `${String(count)} facts are in Redis`);

  /** 2,000 facts while Redis is wiped again and again, with nobody reading and with a reader. */
  async function surviveWipes(clearOn: 'commit' | 'send'): Promise<{ lost: number; resent: number }> {
    // Patient enough that the reader finds the gap before the shipper mends it.
    const { spool, shipper } = await path.monitor({ clearOn, stallMs: 1_500 });
    await append(spool, some(500));
    await queued(500);
    await path.redis.flushdb();
    await append(spool, some(500));
    await queued(500);
    const ingest: Ingest = path.ingest('a');
    await until(() => ingest.stats.read >= 500, 'what came after the gap is read');
    for (let round = 0; round < 5; round += 1) {
      await append(spool, some(100));
      await path.redis.flushdb();
    }
    await ingest.stop();
    await append(spool, some(500));
    await queued(500);
    await path.redis.flushdb();
    ingest.start();
    await until(
      async () => spool.stats.pending === 0 && (await path.redis.xlen(REDIS.facts)) === 0,
      'nothing waits any more',
      30_000,
    );
    await ingest.stop();
    const stored = await path.count('detections');
    expect(await path.count('notifications')).toBe(stored);
    expect(path.told).toHaveLength(stored);
    expect(new Set(path.told).size).toBe(stored);
    expect(await path.redis.xlen(REDIS.deadFacts)).toBe(0);
    return { lost: 2_000 - stored, resent: shipper.stats.resent };
  }

  it('loses and doubles nothing when Redis is wiped, since only a commit clears the spool', async () => {
    const { lost, resent } = await surviveWipes('commit');
    expect(lost).toBe(0);
    expect(resent).toBeGreaterThan(0);
  }, 60_000);

  it('would lose facts if sending cleared the spool: the test above can fail', async () => {
    const { lost } = await surviveWipes('send');
    expect(lost).toBeGreaterThan(0);
  }, 60_000);

  it('puts one fact aside that the database cannot hold, and stores the other 499', async () => {
    const { spool } = await path.monitor();
    const facts = some(500);
    // No timestamp of Postgres lies so far ahead.
    facts[123] = path.opened({ startedAt: 9_000_000_000_000_000 });
    await append(spool, facts);
    const ingest = path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(499);
    expect(await path.redis.xlen(REDIS.deadFacts)).toBe(1);
    expect(ingest.stats.buried).toBe(1);
    const [dead] = await path.redis.xrange(REDIS.deadFacts, '-', '+');
    expect(dead?.[1].join(' ')).toContain(facts[123].eventId);
  }, 30_000);

  it('tries a fact anew that was put aside: it is stored once what was wrong is mended, and put aside again before', async () => {
    const dead = new DeadFacts(path.redis);
    const { spool } = await path.monitor();
    await path.dataSource.query(`ALTER TABLE detections ADD CONSTRAINT poisoned CHECK (label <> 'poison')`);
    const facts = some(500);
    facts[250] = path.opened({ label: 'poison' });
    await append(spool, facts);
    const ingest = path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(499);
    const [first] = await dead.list(null, 10);
    expect(first?.reason).toContain('poisoned');

    expect(await dead.redrive(null, 10)).toBe(1);
    await until(() => ingest.stats.buried === 2, 'it is put aside again');
    const [second, ...more] = await dead.list(null, 10);
    expect([second?.raw, more]).toEqual([first?.raw, []]);

    await path.dataSource.query('ALTER TABLE detections DROP CONSTRAINT poisoned');
    expect(await dead.redrive([second?.id ?? '', '1-1'], 10)).toBe(1);
    await until(async () => (await path.count('detections')) === 500, 'it is stored');
    expect(await dead.list(null, 10)).toEqual([]);
    await append(spool, some(3));
    await until(() => spool.stats.pending === 0, 'the spool goes on');
    expect(await path.count('detections')).toBe(503);
  }, 30_000);

  it('puts aside what does not fit the contract, and its spool does not wait for it', async () => {
    const { spool } = await path.monitor();
    await append(spool, some(3));
    await spool.append({ ...path.opened(), confidence: 7 });
    await append(spool, some(3));
    path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    await path.redis.xadd(REDIS.facts, '*', 'noise', 'x');
    await until(async () => (await path.redis.xlen(REDIS.facts)) === 0, 'the noise is settled');
    expect(await path.count('detections')).toBe(6);
    expect(await path.redis.xlen(REDIS.deadFacts)).toBe(2);
  }, 30_000);

  it('leaves out facts of a stream that is gone, without an end to anything else', async () => {
    const { spool } = await path.monitor();
    await append(spool, [path.opened({ streamId: '00000000-0000-4000-8000-000000000000' }), path.opened()]);
    path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(1);
    expect(await path.redis.xlen(REDIS.deadFacts)).toBe(0);
  }, 30_000);

  it('notes the end of an event, in the same batch or later; a later end from another session extends it, an earlier one does not', async () => {
    const { spool } = await path.monitor();
    const fact = path.opened();
    const end = { eventId: fact.eventId, streamId: fact.streamId, session: 1, frames: 12, peakConfidence: 0.95 };
    await append(spool, [fact]);
    await spool.append({ type: 'detection.closed', ...end, endedAt: 1_700_000_020_000 });
    path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    const rows = (): Promise<unknown[]> => path.dataSource.query('SELECT ended_at, frames, peak FROM detections');
    expect(await rows()).toEqual([{ ended_at: new Date(1_700_000_020_000), frames: 12, peak: 0.95 }]);
    await spool.append({ type: 'detection.closed', ...end, endedAt: 1_700_000_099_000 });
    await spool.append({ type: 'detection.closed', ...end, endedAt: 1_700_000_019_000 });
    await until(() => spool.stats.pending === 0, 'the spool is empty again');
    expect(await rows()).toEqual([{ ended_at: new Date(1_700_000_099_000), frames: 24, peak: 0.95 }]);
  }, 30_000);

  it('has one reader among several; another goes on when it stops, and when its connection is cut', async () => {
    const { spool } = await path.monitor();
    const [a, b] = [path.ingest('a'), path.ingest('b')];
    await until(() => a.isLeading || b.isLeading, 'one leads');
    const [leader, other] = a.isLeading ? [a, b] : [b, a];
    await append(spool, some(10));
    await until(() => spool.stats.pending === 0, 'the first 10 are stored');
    expect(other.isLeading).toBe(false);
    await leader.stop();
    await until(() => other.isLeading, 'the other leads');
    await append(spool, some(10));
    await until(() => spool.stats.pending === 0, 'the next 10 are stored');
    leader.start();
    await path.dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'vigil-leader-lock'`,
    );
    await append(spool, some(10));
    await until(() => spool.stats.pending === 0, 'the last 10 are stored');
    expect(a.isLeading && b.isLeading).toBe(false);
    expect(await path.count('detections')).toBe(30);
  }, 30_000);

  it('reads ahead in a backlog, and tells of each once and in order, also when it is stopped with some read ahead', async () => {
    const { spool } = await path.monitor();
    await append(spool, some(3_000));
    await queued(3_000);
    const first = path.ingest('a', { batch: 100, tendMs: 60_000 });
    await until(() => first.stats.batches >= 3, 'some batches are stored');
    await first.stop();
    expect(await path.count('detections')).toBeLessThan(3_000);
    path.ingest('b', { batch: 100 });
    await until(() => spool.stats.pending === 0, 'all is stored', 30_000);
    const rows = await path.dataSource.query<{ id: string }[]>('SELECT id FROM detections ORDER BY seq');
    await until(() => path.told.length >= 3_000, 'clients are told');
    expect(path.told).toEqual(rows.map(({ id }) => id));
  });

  it('takes over what a reader read and never settled', async () => {
    const { spool } = await path.monitor();
    await path.redis.xgroup('CREATE', REDIS.facts, REDIS.factsGroup, '0', 'MKSTREAM');
    await append(spool, some(20));
    await queued(20);
    await path.redis.xreadgroup('GROUP', REDIS.factsGroup, 'dead', 'COUNT', 15, 'STREAMS', REDIS.facts, '>');
    path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(20);
    const [pending] = await path.redis.xpending(REDIS.facts, REDIS.factsGroup);
    expect(pending).toBe(0);
  }, 30_000);

  it('buries nothing and loses nothing while Postgres cuts its connections', async () => {
    const { spool } = await path.monitor();
    path.ingest('a');
    const client = new pg.Client({ connectionString: path.database.url, application_name: 'cutter' });
    await client.connect();
    for (let round = 0; round < 10; round += 1) {
      await append(spool, some(100));
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    }
    await client.end();
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(1_000);
    expect(await path.redis.xlen(REDIS.deadFacts)).toBe(0);
  }, 30_000);

  it('clears the spool although a part of it was shed before it could be sent', async () => {
    const { spool } = await path.monitor();
    await append(spool, some(20));
    await queued(20);
    // Redis forgets the first ten for good: as if they had been shed, the floor says so.
    await path.redis.flushdb();
    spool.committed(10);
    path.ingest('a');
    await until(() => spool.stats.pending === 0, 'the spool is empty');
    expect(await path.count('detections')).toBe(10);
  }, 30_000);
});
