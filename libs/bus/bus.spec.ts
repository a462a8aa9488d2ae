import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { CaptureCommand, CaptureJob, RuleSet, SessionMemory } from '#libs/contracts/captures.js';
import { ChatMessage } from '#libs/contracts/chat.js';
import { Watermark } from '#libs/contracts/facts.js';
import { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import { createLogger } from '#libs/observability/logger.js';
import { FaultProxy } from '#libs/testing/fault-proxy.js';
import { goldenFixture } from '#libs/testing/golden-fixtures.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { until } from '#libs/testing/until.js';
import { CaptureQueue } from './capture-queue.js';
import { CaptureWorker, captureBackOff, type CaptureProcessor, type ClaimRules } from './capture-worker.js';
import { HintPublisher, HintSubscriber } from './channels.js';
import { ChatRelay, ChatRelayReader } from './chat-relay.js';
import { FactConsumer, FactPublisher } from './fact-stream.js';
import { MonitorDirectory } from './monitor-directory.js';
import { connectRedis, type RedisConnection } from './redis.js';
import { RuleBoard } from './rule-board.js';
import { SessionMemories } from './session-memories.js';
import { SessionNumbers } from './session-numbers.js';
import { WatermarkBoard } from './watermarks.js';

const logger = createLogger('bus', 'silent');
const connections: RedisConnection[] = [];
const ends: (() => Promise<unknown>)[] = [];
let redis: RedisConnection;

function connect(name: string): RedisConnection {
  const connection = connectRedis(testRedisUrl(10), name, logger);
  connections.push(connection);
  return connection;
}

beforeEach(async () => {
  redis = connect('test');
  await redis.flushdb();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  for (const connection of connections.splice(0)) connection.disconnect();
});

describe('the chat relay', () => {
  it('hands what was sent in to who watches that stream, also what came just before, and nothing of others', async () => {
    const message = ChatMessage.parse(goldenFixture('chat', 'ChatMessage'));
    const relay = new ChatRelay(redis);
    await relay.publish(message.streamId, [message]);
    const reader = new ChatRelayReader(connect('relay'), logger, Date.now());
    ends.push(() => reader.stop());
    const heard: string[] = [];
    const off = reader.on(message.streamId, (messages) => heard.push(...messages.map(({ externalId }) => externalId)));
    reader.start();
    await until(() => heard.length === 1, 'the first is heard');
    await redis.xadd(REDIS.chatPushes, '*', 'stream', message.streamId, 'push', 'no json');
    await relay.publish(randomUUID(), [{ ...message, externalId: 'of another' }]);
    await relay.publish(message.streamId, [{ ...message, externalId: 'second' }]);
    await until(() => heard.length === 2, 'the second is heard');
    expect(heard).toEqual([message.externalId, 'second']);
    expect(reader.malformed).toBe(1);
    off();
  });
});

describe('the fact stream', () => {
  const envelope = (seq: number): string =>
    JSON.stringify({ ...z.record(z.string(), z.unknown()).parse(goldenFixture('facts', 'FactEnvelope')), seq });

  it('hands each entry over once, in order, until it is settled', async () => {
    const publisher = new FactPublisher(redis);
    const consumer = new FactConsumer(connect('consumer'), 'a');
    await consumer.ensureGroup();
    await consumer.ensureGroup();
    const ids = await publisher.append([1, 2, 3].map(envelope));
    const entries = await consumer.read(2, 10);
    expect(entries.map((entry) => [entry.id, entry.envelope?.seq])).toEqual([
      [ids[0], 1],
      [ids[1], 2],
    ]);
    expect((await consumer.read(10, 10)).map((entry) => entry.envelope?.seq)).toEqual([3]);
    expect(await consumer.read(10, 10)).toEqual([]);
    await consumer.settle(entries.map(({ id }) => id));
    expect(await publisher.holds(ids[0] ?? '')).toBe(false);
    expect(await publisher.holds(ids[2] ?? '')).toBe(true);
    expect((await new FactConsumer(redis, 'b').claimAbandoned(10, 0)).map(({ id }) => id)).toEqual([ids[2]]);
  });

  it('reads what was appended before the group was made, and says so when the group is gone', async () => {
    const consumer = new FactConsumer(connect('consumer'), 'a');
    await new FactPublisher(redis).append([envelope(1)]);
    await expect(consumer.read(1, 10)).rejects.toThrow('NOGROUP');
    await consumer.ensureGroup();
    expect(await consumer.read(10, 10)).toHaveLength(1);
  });

  it('names origin and fault of what does not fit, and neither of noise', async () => {
    const consumer = new FactConsumer(connect('consumer'), 'a');
    await consumer.ensureGroup();
    await new FactPublisher(redis).append([JSON.stringify({ v: 1, spoolId: 's', seq: 4, floor: 2, fact: {} }), '{']);
    await redis.xadd(REDIS.facts, '*', 'other', 'x');
    const entries = await consumer.read(10, 10);
    expect(entries.map(({ envelope: fits, origin }) => [fits, origin?.seq ?? null])).toEqual([
      [null, 4],
      [null, null],
      [null, null],
    ]);
    expect(entries[0]?.fault).toContain('fact.type');
    for (const entry of entries) await consumer.bury(entry, 'no fact');
    expect(await redis.xlen(REDIS.deadFacts)).toBe(3);
  });
});

describe('boards and numbers', () => {
  it('keep the watermark and tell whoever listens', async () => {
    const heard: Watermark[] = [];
    const subscriber = new HintSubscriber(connect('hints'), logger);
    await WatermarkBoard.listen(subscriber, (mark) => heard.push(mark));
    const board = new WatermarkBoard(redis);
    expect(await board.read('s')).toBe(0);
    await board.publish({ spoolId: 's', seq: 7 });
    expect(await board.read('s')).toBe(7);
    await until(() => heard.length === 1, 'the hint came');
    expect(heard).toEqual([{ spoolId: 's', seq: 7 }]);
  });

  it('count hints that do not fit, and outlive a listener that throws', async () => {
    const subscriber = new HintSubscriber(connect('hints'), logger);
    let heard = 0;
    await subscriber.on(CHANNELS.captures, CaptureCommand, () => {
      heard += 1;
      throw new Error('listener');
    });
    await redis.publish(CHANNELS.captures, '{');
    await redis.publish(CHANNELS.captures, '{"v":1}');
    const command = CaptureCommand.parse(goldenFixture('captures', 'CaptureCommand'));
    await new HintPublisher(redis).publish(CHANNELS.captures, CaptureCommand, command);
    await new HintPublisher(redis).publish(CHANNELS.captures, CaptureCommand, command);
    await until(() => heard === 2, 'both hints came');
    expect(subscriber.malformed).toBe(2);
  });

  it('give each session a larger number, even after Redis was wiped', async () => {
    let now = 1_000_000;
    const numbers = new SessionNumbers(redis, () => now);
    const first = [await numbers.next('a'), await numbers.next('a'), await numbers.next('b')];
    await redis.flushdb();
    now += 60_000;
    const second = await numbers.next('a');
    expect(first[1]).toBe((first[0] ?? 0) + 1);
    expect(second).toBeGreaterThan(Math.max(...first));
  });

  it('keep the rules, and take what does not fit for none', async () => {
    const board = new RuleBoard(redis);
    expect(await board.get()).toBeNull();
    const rules = RuleSet.parse(goldenFixture('captures', 'RuleSet'));
    await board.put(rules);
    expect(await board.get()).toEqual(rules);
    await redis.set(REDIS.rules, '{"v":2}');
    expect(await board.get()).toBeNull();
  });

  it('list the monitors that are there', async () => {
    const directory = new MonitorDirectory(redis);
    const heartbeat = MonitorHeartbeat.parse(goldenFixture('monitors', 'MonitorHeartbeat'));
    await directory.announce(heartbeat, 60_000);
    await directory.announce({ ...heartbeat, monitorId: 'monitor-0' }, 60_000);
    await directory.announce({ ...heartbeat, monitorId: 'brief' }, 1);
    await redis.set(`${REDIS.monitorPrefix}bad`, '{}');
    await until(async () => (await directory.list()).length === 2, 'the brief one is gone');
    expect((await directory.list()).map(({ monitorId }) => monitorId)).toEqual(['monitor-0', 'monitor-1']);
    await directory.withdraw('monitor-0');
    expect(await directory.list()).toEqual([heartbeat]);
  });
});

describe('the captures queue', () => {
  const job = (): CaptureJob => ({
    ...CaptureJob.parse(goldenFixture('captures', 'CaptureJob')),
    streamId: randomUUID(),
  });

  function openQueue(): CaptureQueue {
    const queue = new CaptureQueue(connect('queue'));
    ends.push(() => queue.close());
    return queue;
  }

  /** A worker whose captures run until they are ended, and say how. */
  function openWorker(
    processor?: CaptureProcessor,
    rules?: Partial<ClaimRules>,
  ): { worker: CaptureWorker; started: string[]; causes: unknown[] } {
    const started: string[] = [];
    const causes: unknown[] = [];
    const watch: CaptureProcessor = async ({ streamId }, signal) => {
      started.push(streamId);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      causes.push(signal.reason);
    };
    const all = { pauseMs: () => 0, refuses: () => null, hasHeir: () => false, decided: () => undefined, ...rules };
    const options = { lockMs: 5_000, rules: all };
    const worker = new CaptureWorker(connect('worker'), processor ?? watch, options, logger);
    ends.push(() => worker.close());
    worker.start();
    return { worker, started, causes };
  }

  it('has a capture watched once, however often it is added', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    await queue.add(data);
    expect([...(await queue.list()).values()]).toEqual([
      { streamId: data.streamId, generation: data.generation, state: 'waiting' },
    ]);
    const { started } = openWorker();
    await until(() => started.length === 1, 'it is watched');
    await queue.add(data);
    expect((await queue.list()).get(data.streamId)?.state).toBe('active');
    expect(started).toHaveLength(1);
  });

  it('ends what is stopped, unless it is of a newer generation, and lets it be added again', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    const { worker, started, causes } = openWorker();
    await until(() => started.length === 1, 'it is watched');
    worker.stop(data.streamId, data.generation - 1);
    worker.stop(data.streamId, data.generation);
    await until(async () => (await queue.list()).size === 0, 'it is over');
    expect(causes).toEqual(['stopped']);
    await queue.add(data);
    await until(() => started.length === 2, 'it is watched again');
  });

  it('takes a waiting capture out when it is stopped', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    await queue.stop(data.streamId, data.generation);
    expect((await queue.list()).size).toBe(0);
  });

  it('hands a capture to another worker at once when one closes', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    const first = openWorker();
    await until(() => first.started.length === 1, 'the first watches');
    await first.worker.close();
    expect(first.causes).toEqual(['shutdown']);
    expect((await queue.list()).get(data.streamId)?.state).toBe('waiting');
    const second = openWorker();
    await until(() => second.started.length === 1, 'the second watches');
  });

  it('takes nothing while there is no room, and what there is when there is some', async () => {
    const queue = openQueue();
    await queue.add(job());
    let asked = 0;
    let isFull = true;
    const { started } = openWorker(undefined, {
      pauseMs: () => {
        asked += 1;
        return isFull ? null : 0;
      },
    });
    await until(() => asked > 3, 'it asked for room');
    expect(started).toEqual([]);
    isFull = false;
    await until(() => started.length === 1, 'it is watched');
  });

  it('leaves a capture that is not for it to others, without asking for it all the time', async () => {
    const queue = openQueue();
    await queue.add({ ...job(), platform: 'rare' });
    let refusals = 0;
    openWorker(undefined, {
      refuses: () => 'It needs the platform "rare".',
      decided: () => void (refusals += 1),
    });
    await until(() => refusals === 1, 'it was refused');
    const { started } = openWorker();
    await until(() => started.length === 1, 'one that can watches it');
    expect(refusals).toBeLessThan(40);
  });

  it('hands a capture over without a break: the next one watches before the first ends', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    let takes = true;
    const first = openWorker(undefined, { hasHeir: () => true, pauseMs: () => (takes ? 0 : null) });
    await until(() => first.started.length === 1, 'the first watches');
    takes = false;
    const handing = first.worker.handBack(data.streamId, 'It has more than its share.');
    const second = openWorker();
    await until(() => second.started.length === 1, 'the second watches');
    expect(first.causes).toEqual([]);
    await handing;
    expect(first.causes).toEqual(['rebalanced']);
    expect((await queue.list()).get(data.streamId)?.state).toBe('active');
  });

  it('hands over for as long as the next one sees nothing, and ends as soon as it says that it does', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    const first = openWorker(undefined, { hasHeir: () => true });
    await until(() => first.started.length === 1, 'the first watches');
    first.worker.relieve(data.streamId);
    const closing = first.worker.close();
    const second = openWorker();
    await until(() => second.started.length === 1, 'the second watches');
    // Longer than anybody needs to find out that it was taken.
    await wait(1_500);
    expect(first.causes).toEqual([]);
    first.worker.relieve(data.streamId);
    const from = Date.now();
    await closing;
    // Half of the time that it would wait for a word that never comes.
    expect(Date.now() - from).toBeLessThan(5_000);
    expect(first.causes).toEqual(['shutdown']);
    expect(second.causes).toEqual([]);
  });

  it('does not wait for others when they go, too', async () => {
    const queue = openQueue();
    await queue.add(job());
    let hasHeir = true;
    const { worker, started, causes } = openWorker(undefined, { hasHeir: () => hasHeir });
    await until(() => started.length === 1, 'it is watched');
    const closing = worker.close();
    await wait(500);
    expect(causes).toEqual([]);
    hasHeir = false;
    const from = Date.now();
    await closing;
    expect(Date.now() - from).toBeLessThan(5_000);
    expect(causes).toEqual(['shutdown']);
  });

  it('has what a session remembers taken once, by whoever asks first', async () => {
    const memories = new SessionMemories(redis);
    const memory = SessionMemory.parse(goldenFixture('captures', 'SessionMemory'));
    const { streamId } = job();
    await memories.leave(streamId, memory);
    expect(await memories.take(streamId)).toEqual(memory);
    expect(await memories.take(streamId)).toBeNull();
    await memories.leave(streamId, memory);
    await memories.leave(streamId, { v: 1, rules: [] });
    expect(await memories.take(streamId)).toBeNull();
    await redis.set(`vigil:memory:${streamId}`, 'of another version');
    expect(await memories.take(streamId)).toBeNull();
  });

  it('goes on with a capture that nobody else took, as if nothing had been', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    const { worker, started, causes } = openWorker(undefined, { hasHeir: () => true });
    await until(() => started.length === 1, 'it is watched');
    await worker.handBack(data.streamId, 'It has more than its share.');
    expect([started.length, causes, worker.jobs.length]).toEqual([1, [], 1]);
    worker.stop(data.streamId, data.generation);
    await until(async () => (await queue.list()).size === 0, 'it is over');
  });

  it('ends a capture whose lease is not its own any more, and leaves the queue to the one that has it', async () => {
    const queue = openQueue();
    const data = job();
    await queue.add(data);
    const { started, causes } = openWorker();
    await until(() => started.length === 1, 'it is watched');
    // What another monitor does to it after this one was asleep for longer than its lease.
    await redis.set(`bull:captures:capture-${data.streamId}:lock`, 'of another');
    await until(() => causes.length === 1, 'it ended');
    expect(causes).toEqual(['lease_lost']);
    expect((await queue.list()).get(data.streamId)?.state).toBe('active');
  });

  it('tries a capture that failed again, and never gives it up', async () => {
    const queue = openQueue();
    await queue.add(job());
    let tries = 0;
    openWorker(() => {
      tries += 1;
      return Promise.reject(new Error('failed'));
    });
    await until(() => tries === 2, 'it was tried again');
    expect(Math.max(...Array.from({ length: 200 }, (_, attempt) => captureBackOff(attempt + 1)))).toBeLessThanOrEqual(
      60_000,
    );
  });
});

describe('a connection to Redis', () => {
  it('leaves a server that has gone without a word, and asks again what it asked', async () => {
    const url = new URL(testRedisUrl(10));
    const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) });
    const connection = connectRedis(proxy.urlFor(url.href), 'silent', logger, { silenceMs: 200 });
    await connection.ping();
    proxy.set({ blackHole: true });
    const answer = connection.ping();
    await until(() => proxy.accepted > 1, 'it connects again');
    proxy.set({});
    expect(await answer).toBe('PONG');
    connection.disconnect();
    await proxy.stop();
  });
});
