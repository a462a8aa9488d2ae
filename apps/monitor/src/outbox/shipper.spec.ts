import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DetectionClosed } from '#libs/contracts/facts.js';
import { createLogger } from '#libs/observability/logger.js';
import { until } from '#libs/testing/until.js';
import { Shipper, type ShipperOptions } from './shipper.js';
import { Spool } from './spool.js';

const FACT: DetectionClosed = {
  type: 'detection.closed',
  eventId: '4be0643f-1d98-473b-97cd-ca98a65347dd',
  streamId: '4be0643f-1d98-473b-97cd-ca98a65347dd',
  session: 1,
  endedAt: 1,
  frames: 1,
  peakConfidence: 0.5,
};

/** Redis as far as a shipper sees it: a stream that can be wiped, a watermark, and an off switch. */
class SmallRedis {
  entries: { id: string; seq: number; floor: number }[] = [];
  watermark = 0;
  down = false;
  calls = 0;
  private nextId = 1;

  append(envelopes: readonly string[]): Promise<string[]> {
    return this.answer(() =>
      envelopes.map((envelope) => {
        const { seq, floor } = JSON.parse(envelope) as { seq: number; floor: number };
        const id = `${String(this.nextId++)}-0`;
        this.entries.push({ id, seq, floor });
        return id;
      }),
    );
  }
  holds(entryId: string): Promise<boolean> {
    return this.answer(() => this.entries.some(({ id }) => id === entryId));
  }
  read(): Promise<number> {
    return this.answer(() => this.watermark);
  }
  get seqs(): number[] {
    return this.entries.map(({ seq }) => seq);
  }
  private answer<T>(work: () => T): Promise<T> {
    this.calls += 1;
    return this.down ? Promise.reject(new Error('not connected')) : Promise.resolve(work());
  }
}

describe('Shipper', () => {
  let directory: string;
  let spool: Spool;
  let redis: SmallRedis;
  let shipper: Shipper;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-shipper-'));
    spool = await Spool.open({ directory, maxBytes: 10_000_000 });
    redis = new SmallRedis();
  });
  afterEach(async () => {
    await shipper.stop();
    await spool.close();
    await rm(directory, { recursive: true, force: true });
  });

  function ship(options: Partial<ShipperOptions> = {}): void {
    const links = { publisher: redis, watermarks: redis, hints: null };
    shipper = new Shipper(spool, links, createLogger('test', 'silent'), { pollMs: 10, stallMs: 40, ...options });
    shipper.start();
  }
  async function append(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => spool.append(FACT)));
  }
  const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, i) => from + i);

  it('sends in order and clears the spool only up to the watermark', async () => {
    ship({ batchRecords: 7 });
    await append(50);
    await until(() => redis.entries.length === 50);
    expect(redis.seqs).toEqual(upTo(50));
    expect(shipper.stats.pending).toBe(50);
    redis.watermark = 30;
    await until(() => shipper.stats.pending === 20);
    redis.watermark = 10;
    const { calls } = redis;
    await until(() => redis.calls > calls + 3);
    expect(spool.watermark).toBe(30);
  });

  it('ignores a watermark beyond what it has sent: that is not about its facts', async () => {
    redis.watermark = 99;
    ship();
    await append(3);
    await until(() => redis.entries.length === 3);
    const { calls } = redis;
    await until(() => redis.calls > calls + 3);
    expect(shipper.stats.pending).toBe(3);
  });

  it('sends no further than so far beyond the watermark', async () => {
    ship({ mostInFlight: 10, batchRecords: 4 });
    await append(30);
    await until(() => redis.entries.length === 10);
    const { calls } = redis;
    await until(() => redis.calls > calls + 3);
    expect(redis.seqs).toEqual(upTo(10));
    redis.watermark = 6;
    await until(() => redis.entries.length === 16);
    expect(redis.seqs).toEqual(upTo(16));
  });

  it('sends again from the watermark on when Redis no longer holds what was sent', async () => {
    ship();
    await append(20);
    await until(() => redis.entries.length === 20);
    redis.watermark = 5;
    await until(() => shipper.stats.pending === 15);
    redis.entries = [];
    await until(() => redis.entries.length === 15);
    expect(redis.seqs).toEqual(upTo(20, 6));
    expect(redis.entries[0]?.floor).toBe(6);
    expect(shipper.stats.resent).toBe(15);
  });

  it('notices that only the oldest, or only the newest, of what it sent is gone', async () => {
    ship();
    await append(4);
    await until(() => redis.entries.length === 4);
    redis.entries.shift();
    await until(() => redis.seqs.includes(1));
    redis.entries.splice(-1);
    const before = shipper.stats.resent;
    await until(() => shipper.stats.resent > before);
  });

  it('does not send again what Redis still holds, however long nobody reads it', async () => {
    ship();
    await append(20);
    await until(() => redis.entries.length === 20);
    const { calls } = redis;
    await until(() => redis.calls > calls + 30);
    expect(redis.entries).toHaveLength(20);
    expect(shipper.stats.resent).toBe(0);
  });

  it('waits while Redis is away, without hurry, and goes on without a gap', async () => {
    redis.down = true;
    ship();
    await append(20);
    await sleep(500);
    // Back-off doubles from 100 ms: a loop without pauses would have called thousands of times.
    expect(redis.calls).toBeLessThan(20);
    await append(20);
    redis.down = false;
    await until(() => redis.entries.length === 40);
    expect(redis.seqs).toEqual(upTo(40));
  });

  it('clears the spool at once when told to, which is how facts are lost', async () => {
    ship({ clearOn: 'send' });
    await append(20);
    await until(() => redis.entries.length === 20);
    await until(() => shipper.stats.pending === 0);
  });

  it('goes on after a restart from what was committed', async () => {
    ship();
    await append(10);
    await until(() => redis.entries.length === 10);
    redis.watermark = 4;
    await until(() => shipper.stats.pending === 6);
    await shipper.stop();
    await spool.close();
    spool = await Spool.open({ directory, maxBytes: 10_000_000 });
    redis.entries = [];
    ship();
    await until(() => redis.entries.length === 6);
    expect(redis.seqs).toEqual(upTo(10, 5));
  });
});
