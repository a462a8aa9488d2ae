import { setTimeout as wait } from 'node:timers/promises';
import { ChatIrcServer, privmsg } from '#libs/testing/chat-irc-server.js';
import { until } from '#libs/testing/chat-time.js';
import { NO_EVENTSUB, ReadFeed, STREAM_ID } from './chat-stages.fixture.js';
import { TwitchChat } from './twitch/twitch.chat.js';

describe('a flood of chat', () => {
  let server: ChatIrcServer;
  let read: ReadFeed;

  beforeEach(async () => {
    server = await ChatIrcServer.start();
  });
  afterEach(async () => {
    await read.stop();
    await server.stop();
  });

  async function open(isRead: boolean): Promise<void> {
    const target = { streamId: STREAM_ID, channel: 'room', options: {} };
    const stage = { stand: server, source: new TwitchChat({ url: server.url, eventSub: NO_EVENTSUB }), target };
    read = await ReadFeed.open(stage, { read: isRead });
    await until('live', () => read.state === 'live');
  }

  const line = (index: number): string =>
    `${privmsg('#room', { id: `m${index}`, user: `user${index % 500}`, text: `message ${index} of many that come at once` })}\r\n`;

  it('of 5,000 messages a second loses none, doubles none, and leaves the event loop to others', async () => {
    await open(true);
    let [longest, last, done] = [0, performance.now(), false];
    const watching = (async (): Promise<void> => {
      while (!done) {
        await wait(1);
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }
    })();
    const startedAt = performance.now();
    for (let sent = 0; sent < 10_000; sent += 100) {
      // The pace is held by what was sent, not by the timer.
      while (performance.now() - startedAt < sent / 5) await wait(1);
      for (let index = sent; index < sent + 100; index += 1) server.server.broadcast(line(index));
      // A tenth of it comes twice, as it does when two connections overlap.
      for (let index = sent; index < sent + 10; index += 1) server.server.broadcast(line(index));
    }
    await until('the last', () => read.messages.length === 10_000);
    const tookMs = performance.now() - startedAt;
    done = true;
    await watching;
    await until('what comes twice', () => read.feed.figures().duplicates === 1_000);
    expect(read.feed.figures()).toMatchObject({ received: 10_000, dropped: 0, garbage: 0, duplicates: 1_000 });
    expect(new Set(read.messages.map(({ externalId }) => externalId)).size).toBe(10_000);
    process.stdout.write(`a flood of 10,000 in ${Math.round(tookMs)} ms: longest stall ${Math.round(longest)} ms\n`);
    // 50 ms of two seconds; where the machine itself is slower than the flood, as much more.
    expect(longest / tookMs).toBeLessThan(0.1);
  });

  it('that comes all at once is taken in turns, however much of it waits', async () => {
    await open(true);
    const handled = (): number => read.feed.figures().received;
    let [most, before, done] = [0, 0, false];
    const spin = (): void => {
      most = Math.max(most, handled() - before);
      before = handled();
      if (!done) setImmediate(spin);
    };
    for (let sent = 0; sent < 20_000; sent += 200) {
      let frame = '';
      for (let index = sent; index < sent + 200; index += 1) frame += line(index);
      server.server.broadcast(frame);
    }
    spin();
    await until('the last', () => handled() === 20_000);
    done = true;
    expect(read.messages.length + read.feed.figures().dropped).toBeLessThanOrEqual(20_000);
    expect(most).toBeLessThan(2_000);
  });

  it('that is more than a reader can take is counted to the last message: read, waiting or dropped', async () => {
    await open(false);
    let taken = 0;
    const slow = (async (): Promise<void> => {
      for await (const message of read.feed) {
        read.messages.push(message);
        taken += 1;
        if (taken % 50 === 0) await wait(1);
      }
    })();
    for (let index = 0; index < 20_000; index += 1) server.server.broadcast(line(index));
    await until('the last', () => read.feed.figures().received === 20_000);
    await read.feed.stop();
    await slow;
    const { dropped } = read.feed.figures();
    expect(dropped).toBeGreaterThan(0);
    expect(taken + dropped).toBe(20_000);
    expect(new Set(read.messages.map(({ externalId }) => externalId)).size).toBe(taken);
    expect(read.messages.at(-1)?.externalId).toBe('m19999');
  });

  it('keeps a bounded number of messages for a reader that does not read, the newest, and counts the rest', async () => {
    await open(false);
    for (let index = 0; index < 5_000; index += 1) server.server.broadcast(line(index));
    await until('the last', () => read.feed.figures().received === 5_000);
    expect(read.feed.figures().dropped).toBe(3_000);
    await read.feed.stop();
    await read.read();
    expect(read.messages).toHaveLength(2_000);
    expect(read.messages[0]?.externalId).toBe('m3000');
  });

  it('of garbage is counted, and what makes sense between it is heard', async () => {
    await open(true);
    for (let index = 0; index < 2_000; index += 1) server.babble();
    server.say({ id: 'sense', user: 'ann', text: 'sense' });
    await until('the message', () => read.has('sense'));
    expect(read.feed.figures().garbage).toBe(2_000);
    expect(server.accepted).toBe(1);
  });

  it('in one frame that is too long costs the connection, not the feed', async () => {
    await open(true);
    server.server.broadcast('x'.repeat(70_000));
    await until('another connection', () => server.accepted === 2 && read.state === 'live');
    expect(read.feed.figures().garbage).toBe(1);
  });
});
