import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import type { ChatStatus } from '#libs/contracts/chat.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import type { ChatFeed } from './chat-feed.js';
import { ChatError, type ChatDraft, type ChatLane, type ChatLink, type ChatSource } from './chat-source.port.js';
import { ChatSupervisor } from './supervisor.js';
import { STREAM_ID } from './chat-stages.fixture.js';

const lane: ChatLane = { proxyUrl: 'http://127.0.0.1:1', fetch: () => Promise.reject(new Error('not used')) };
const draft = (externalId: string, change: Partial<ChatDraft> = {}): ChatDraft => ({
  ...{ externalId, userId: 'u', username: 'ann', roles: [], text: externalId, sentAt: null, kind: 'text', ...change },
});

/** A source whose connections the test holds in its hands. */
class HeldSource implements ChatSource {
  readonly descriptor = { id: 'held', title: 'Held', options: {} };
  readonly joinBudget = { joins: 18, perMs: 10_000 };
  readonly links: ChatLink[] = [];
  readonly ends: ((error: Error | null) => void)[] = [];

  channelOf(url: URL): string | null {
    return url.hostname === 'held.test' ? url.pathname.slice(1) : null;
  }

  async connect(_target: unknown, link: ChatLink, signal: AbortSignal): Promise<void> {
    await link.admitted(signal);
    this.links.push(link);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.ends.push((error) => (error === null ? resolve() : reject(error)));
    });
  }

  get newest(): ChatLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('nobody has connected');
    return link;
  }

  end(error: Error | null): void {
    this.ends.at(-1)?.(error);
  }
}

describe('the supervisor', () => {
  let clock: ManualClock;
  let source: HeldSource;
  let supervisor: ChatSupervisor;
  let statuses: ChatStatus[];

  beforeEach(() => {
    clock = new ManualClock();
    source = new HeldSource();
    statuses = [];
    supervisor = make();
  });
  afterEach(() => supervisor.stop());

  function make(random = 0.5): ChatSupervisor {
    return new ChatSupervisor({
      ...{ sources: [source], clock, random: () => random, logger: pino({ level: 'silent' }) },
      silentAfterMs: 300_000,
    });
  }

  function follow(queueLimit?: number): ChatFeed {
    return supervisor.follow('held', { streamId: STREAM_ID, channel: 'room', options: {} }, lane, {
      onStatus: (status) => statuses.push(status),
      ...(queueLimit === undefined ? {} : { queueLimit }),
    });
  }

  const connections = (count: number): Promise<void> =>
    until(`connection ${count}`, () => source.links.length === count);
  const state = (): string => statuses.at(-1)?.state ?? '';

  it('finds the source and the room of an address', () => {
    expect(supervisor.locate('https://held.test/room')).toEqual({ platform: 'held', channel: 'room' });
    expect(supervisor.locate('https://other.test/room')).toBeNull();
    expect(supervisor.locate('nonsense')).toBeNull();
  });

  it('knows no platform that is not registered', () => {
    expect(() => supervisor.follow('other', { streamId: STREAM_ID, channel: '', options: {} }, lane)).toThrow(
      expect.objectContaining({ code: 'chat.unknown_platform' }),
    );
  });

  it('waits longer after each failure, and starts anew after a minute of health', async () => {
    follow();
    for (const [count, delayMs] of [500, 1_000, 2_000, 4_000].entries()) {
      await connections(count + 1);
      source.end(new ChatError('lost', 'broken'));
      await until('the wait', () => clock.pending === 1);
      clock.advance(delayMs - 1);
      await turn();
      expect(source.links).toHaveLength(count + 1);
      clock.advance(1);
    }
    await connections(5);
    source.newest.live();
    clock.advance(60_000);
    source.end(null);
    await until('degraded', () => state() === 'degraded' && clock.pending === 1);
    clock.advance(500);
    await connections(6);
  });

  it('tries a source that fails all the time only once in half a minute or more', async () => {
    follow();
    for (let count = 1; count <= 5; count += 1) {
      await connections(count);
      source.end(new ChatError('lost', 'broken'));
      await until('the wait', () => clock.pending === 1);
      if (count < 5) clock.advance(10_000);
    }
    clock.advance(29_999);
    await turn();
    expect(source.links).toHaveLength(5);
    clock.advance(30_001);
    await connections(6);
  });

  it.each([
    ['offline', new ChatError('offline', 'no chat now'), 'offline', 45_000],
    ['a wait that the server asks for', new ChatError('lost', 'later', { afterMs: 90_000 }), 'degraded', 90_000],
    ['a defect of the source', new TypeError('x is undefined'), 'degraded', 500],
  ])('obeys %s', async (_title, error, expected, delayMs) => {
    follow();
    await connections(1);
    source.end(error);
    await until(expected, () => state() === expected && clock.pending === 1);
    clock.advance(delayMs - 1);
    await turn();
    expect(source.links).toHaveLength(1);
    clock.advance(1);
    await connections(2);
  });

  it('comes back at once when the server asks for it, but only to a connection that was healthy', async () => {
    follow();
    await connections(1);
    source.newest.live();
    clock.advance(60_000);
    source.end(new ChatError('lost', 'come back', { atOnce: true }));
    await connections(2);
    source.newest.live();
    source.end(new ChatError('lost', 'come back', { atOnce: true }));
    await until('the wait', () => clock.pending === 1);
    await turn();
    expect(source.links).toHaveLength(2);
  });

  it('does not try again what was refused', async () => {
    const feed = follow();
    await connections(1);
    source.end(new ChatError('refused', 'a new token is needed'));
    await until('auth_failed', () => state() === 'auth_failed');
    clock.advance(10_000_000);
    await turn();
    expect(source.links).toHaveLength(1);
    expect(feed.status().detail).toBe('a new token is needed');
  });

  it('moves: the old connection is heard until the new one is live, and moves in a row wait', async () => {
    const feed = follow();
    await connections(1);
    const [first] = source.links;
    first?.live();
    clock.advance(60_000);
    first?.moving();
    await connections(2);
    first?.message(draft('from the old'));
    source.newest.live();
    first?.message(draft('too late'));
    expect(feed.figures()).toMatchObject({ received: 1, reconnects: 1 });
    source.newest.moving();
    await until('the wait', () => clock.pending === 1);
    expect(state()).toBe('live');
    clock.advance(500);
    await connections(3);
  });

  it('holds all joins of a platform to its budget in every window', async () => {
    for (let count = 0; count < 60; count += 1) follow();
    await until('the first joins', () => source.links.length === 9);
    const joinedAt = source.links.map(() => clock.now());
    for (let step = 0; step < 700; step += 1) {
      clock.advance(100);
      await Promise.resolve();
      await Promise.resolve();
      while (joinedAt.length < source.links.length) joinedAt.push(clock.now());
    }
    await connections(60);
    const windows = joinedAt.map((at) => joinedAt.filter((other) => other >= at && other < at + 10_000).length);
    expect(Math.max(...windows)).toBeLessThanOrEqual(18);
  });

  it('lets the oldest go when nobody reads, and counts them', async () => {
    const feed = follow(3);
    await connections(1);
    for (const id of ['a', 'b', 'c', 'd', 'e']) source.newest.message(draft(id));
    await feed.stop();
    const kept: string[] = [];
    for await (const { text } of feed) kept.push(text);
    expect(kept).toEqual(['c', 'd', 'e']);
    expect(feed.figures()).toMatchObject({ received: 5, dropped: 2 });
  });

  it('tells of a silent chat while the picture is live, and when it speaks again', async () => {
    const feed = follow();
    await connections(1);
    source.newest.live();
    clock.advance(1_000_000);
    expect(feed.status().silent).toBe(false);
    feed.videoLive(true);
    clock.advance(200_000);
    source.newest.message(draft('a'));
    clock.advance(299_999);
    expect(feed.status().silent).toBe(false);
    clock.advance(1);
    expect(statuses.at(-1)).toMatchObject({ state: 'live', silent: true });
    source.newest.message(draft('b'));
    expect(statuses.at(-1)).toMatchObject({ state: 'live', silent: false });
    clock.advance(300_000);
    expect(feed.status().silent).toBe(true);
    feed.videoLive(false);
    expect(feed.status().silent).toBe(false);
    clock.advance(1_000_000);
    expect(feed.status().silent).toBe(false);
  });

  it('makes every message fit the contract', async () => {
    const feed = follow();
    await connections(1);
    const { newest: link } = source;
    link.message(draft('', { text: 'has no id' }));
    link.message(draft('bad text', { text: 'a\0b\ud800c', sentAt: clock.now() + 1e9 }));
    link.message(draft('far back', { sentAt: -5 }));
    link.message(draft('odd tip', { kind: 'tip', tip: { amount: Number.NaN, currency: 'x' } }));
    link.message(draft('cut', { text: `${'x'.repeat(4_095)}😀`, fragments: [{ type: 'text', text: 'x' }] }));
    await feed.stop();
    const messages = [];
    for await (const message of feed) messages.push(message);
    expect(messages.map(({ text }) => text.slice(0, 10))).toEqual(['ab\ufffdc', 'far back', 'odd tip', 'xxxxxxxxxx']);
    expect(messages.map(({ sentAt }) => sentAt)).toEqual(messages.map(({ receivedAt }) => receivedAt));
    expect(messages[2]).not.toHaveProperty('tip');
    expect(messages[3]).not.toHaveProperty('fragments');
    expect(messages[3]?.text.endsWith('\ufffd')).toBe(true);
    expect(feed.figures()).toMatchObject({ garbage: 1, truncated: 1 });
  });

  it('forgets the oldest ids, not the newest', async () => {
    const feed = follow();
    await connections(1);
    for (let index = 0; index <= 10_000; index += 1) source.newest.message(draft(`m${index}`));
    source.newest.message(draft('m10000'));
    source.newest.message(draft('m1'));
    expect(feed.figures()).toMatchObject({ duplicates: 2, received: 10_001 });
    source.newest.message(draft('m0'));
    expect(feed.figures().received).toBe(10_002);
  });

  it('keeps a place to read on from between connections', async () => {
    follow();
    await connections(1);
    source.newest.bookmark = 'page 7';
    source.newest.live();
    clock.advance(60_000);
    source.end(new ChatError('lost', 'come back', { atOnce: true }));
    await connections(2);
    expect(source.newest.bookmark).toBe('page 7');
  });
});
