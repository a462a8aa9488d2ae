import { ManualClock, until } from '#libs/testing/chat-time.js';
import { UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { Canary } from '#libs/testing/hls-origin.js';
import { ChatYoutubeServer } from '#libs/testing/chat-youtube-server.js';
import { ChatYoutubeStreamServer, field } from '#libs/testing/chat-youtube-stream-server.js';
import { NOWHERE, ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { YoutubeChat } from './youtube.chat.js';

describe('YouTube chat as it is pushed', () => {
  let server: ChatYoutubeStreamServer;
  let read: ReadFeed;

  const open = async (
    change: { url?: string; ca?: string | null; hosts?: readonly string[]; clock?: ManualClock } = {},
  ): Promise<void> => {
    const { url = server.url, ca = UNTRUSTED_CERTIFICATE.cert, hosts = server.hosts, clock } = change;
    const source = new YoutubeChat({
      ...{ apiUrl: server.api.url, siteUrl: NOWHERE.youtubeSite, leastPollMs: 20, leastSitePollMs: 20 },
      stream: { url, pulse: { everyMs: 100, deadMs: 400 }, ...(ca === null ? {} : { ca }) },
    });
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: { apiKey: ChatYoutubeServer.key } };
    read = await ReadFeed.open({ stand: { hosts }, source, target }, clock === undefined ? {} : { clock });
  };
  const live = (): Promise<void> => until('live', () => read.state === 'live');
  const polls = (): URL[] => server.api.asked.filter(({ pathname }) => pathname.endsWith('/liveChat/messages'));

  beforeEach(async () => {
    server = await ChatYoutubeStreamServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it('comes through the lane over TLS, and is counted there', async () => {
    await open();
    await live();
    const before = read.lane.stats.bytes;
    server.say({ id: 'm1', user: 'ann', text: 'x'.repeat(1_000) });
    await until('the message', () => read.messages.length === 1);
    expect(read.lane.stats.bytes).toBeGreaterThan(before + 1_000);
    expect(read.messages[0]).toMatchObject({ userId: 'UCann', username: 'ann', roles: ['moderator'] });
    expect(server.keys).toEqual([ChatYoutubeServer.key]);
    expect(polls()).toEqual([]);
  });

  it('reads every kind of item by its published numbers', async () => {
    await open();
    await live();
    const item = (id: string, type: number, details: Buffer): void =>
      server.item([field(101, id), field(2, [field(1, type), field(16, 'shown'), details])]);
    item('tip', 15, field(27, [field(1, 4_990_000), field(2, 'EUR'), field(4, 'nice')]));
    item('sticker', 16, field(28, [field(1, 2_000_000), field(2, 'USD'), field(4, 3)]));
    item('milestone', 17, field(30, [field(2, 12), field(3, 'a year')]));
    item('gone', 8, field(20, [field(101, 'm1')]));
    item('taken-back', 9, field(21, [field(201, 'm2')]));
    item('banned', 10, field(22, [field(1, [field(101, 'UC2')])]));
    item('poll', 20, field(33, [field(1, [field(1, 'what?')])]));
    server.say({ id: 'last', user: 'ann', text: 'last' });
    await until('the last', () => read.has('last'));
    expect(read.messages).toMatchObject([
      { kind: 'tip', text: 'nice', tip: { amount: 4.99, currency: 'EUR' } },
      { kind: 'tip', tip: { amount: 2, currency: 'USD' } },
      { kind: 'system', text: 'a year' },
      { kind: 'deleted', target: { messageId: 'm1' } },
      { kind: 'deleted', target: { messageId: 'm2' } },
      { kind: 'deleted', target: { userId: 'UC2' } },
      { kind: 'text', text: 'last' },
    ]);
    expect(read.feed.figures().garbage).toBe(0);
  });

  it('is opened anew where it ended, when the server ends it in order, without a word to anybody', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('the message', () => read.has('one'));
    server.end();
    await until('another stream', () => server.tokens.length === 2);
    server.say({ id: 'm2', user: 'ann', text: 'two' });
    await until('the message', () => read.has('two'));
    expect(server.tokens).toEqual([null, '1']);
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
    expect(read.feed.figures()).toMatchObject({ reconnects: 0, duplicates: 0 });
  });

  it('goes on where it broke off', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('the message', () => read.has('one'));
    server.sever();
    await until('another connection', () => read.feed.figures().reconnects === 1 && read.state === 'live');
    expect(server.tokens.at(-1)).toBe('1');
    expect(read.feed.figures().duplicates).toBe(0);
  });

  it('finds out that a half-open connection is dead', async () => {
    await open();
    await live();
    server.freeze();
    await until('another connection', () => server.tokens.length === 2 && read.state === 'live');
  });

  it('counts bytes that are no message, and comes back', async () => {
    await open();
    await live();
    server.corrupt();
    await until('another connection', () => server.tokens.length === 2 && read.state === 'live');
    expect(read.feed.figures().garbage).toBe(1);
  });

  it.each([
    [5, 'offline'],
    [9, 'offline'],
    [16, 'auth_failed'],
    [8, 'degraded'],
  ])('takes status %i in the middle to mean %s', async (status, state) => {
    const clock = new ManualClock();
    await open({ clock });
    await live();
    server.end(status);
    await until(state, () => read.state === state);
    if (status === 8) await until('the wait', () => clock.waits.at(-1) === 10_000);
    expect(JSON.stringify(read.statuses)).not.toContain(ChatYoutubeServer.key);
  });

  it('ends when the chat does', async () => {
    await open();
    await live();
    server.item([field(101, 'end'), field(2, [field(1, 4)])]);
    await until('offline', () => read.state === 'offline');
  });

  it.each([['refused by the server', 12]])('falls back to polling when it is %s', async (_how, status) => {
    server.refusals.push(status);
    await open();
    await until('polls', () => polls().length > 1);
    server.api.say({ id: 'm1', user: 'ann', text: 'polled' });
    await until('the message', () => read.has('polled'));
  });

  it('trusts no certificate that nobody vouches for, and polls instead', async () => {
    await open({ ca: null });
    await until('polls', () => polls().length > 0);
    expect(server.opened).toBe(0);
  });

  it('cannot be led to a refused address, and polls instead', async () => {
    const canary = await Canary.start();
    await open({ url: `https://127.0.0.1:${canary.port}/`, hosts: server.api.hosts });
    await until('polls', () => polls().length > 0);
    expect(read.lane.lastFault()).toMatchObject({ reason: 'refused_address' });
    expect(canary.connections).toBe(0);
    await canary.stop();
  });

  it('leaves no stream behind', async () => {
    await open();
    await until('a stream', () => server.open === 1);
    await read.stop();
    await until('its end', () => server.open === 0);
  });

  it('takes a flood in turns and loses nothing to a reader who reads', async () => {
    await open();
    await live();
    for (let index = 0; index < 5_000; index += 1)
      server.say({ id: `m${index}`, user: 'ann', text: `message ${index}` });
    await until('the last', () => read.has('message 4999'));
    expect(read.messages).toHaveLength(5_000);
    expect(read.feed.figures()).toMatchObject({ dropped: 0, garbage: 0 });
  });
});
