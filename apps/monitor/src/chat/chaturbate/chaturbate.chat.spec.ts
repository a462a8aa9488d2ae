import { ChatEventsServer } from '#libs/testing/chat-events-server.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { Canary } from '#libs/testing/hls-origin.js';
import { ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { EventFrame, toDraft } from './chaturbate-event.js';
import { ChaturbateChat } from './chaturbate.chat.js';

const ID = '1625274862454-0';
const user = { username: 'ann', inFanclub: true, gender: 'f', hasTokens: true, recentTips: 'none', isMod: true };

describe('an event of Chaturbate', () => {
  it.each([
    [
      'chatMessage',
      { message: { color: '', bgColor: '', message: 'hello', font: '' }, broadcaster: 'room', user },
      { kind: 'text', text: 'hello', userId: 'ann', username: 'ann', roles: ['moderator', 'subscriber'] },
    ],
    [
      'chatMessage',
      { message: { message: 'mine' }, broadcaster: 'ann', user: { username: 'ann' } },
      { roles: ['broadcaster'], sentAt: 1_625_274_862_454 },
    ],
    [
      'tip',
      { tip: { tokens: 25, isAnon: false, message: '| well done' }, broadcaster: 'room', user },
      { kind: 'tip', text: 'well done', tip: { amount: 25, currency: 'tokens' }, username: 'ann' },
    ],
    [
      'tip',
      { tip: { tokens: 25, isAnon: true, message: '' }, user },
      { kind: 'tip', userId: '', username: '', roles: [] },
    ],
    ['roomSubjectChange', { broadcaster: 'room', subject: 'new subject' }, { kind: 'system', text: 'new subject' }],
    ['fanclubJoin', { broadcaster: 'room', user }, { kind: 'system', username: 'ann' }],
    ['broadcastStop', { broadcaster: 'room', user }, { kind: 'system' }],
  ])('%s is read', (method, object, parts) => {
    expect(toDraft(EventFrame.parse({ method, id: ID, object }))).toMatchObject({ externalId: ID, ...parts });
  });

  it.each(['userEnter', 'userLeave', 'follow', 'unfollow', 'privateMessage', 'mediaPurchase', 'constructor'])(
    '%s is left alone',
    (method) => {
      expect(toDraft({ method, id: ID, object: { user } })).toBeUndefined();
    },
  );

  it.each(['chatMessage', 'tip', 'roomSubjectChange', 'fanclubJoin'])('%s without its object is garbage', (method) => {
    expect(toDraft({ method, id: ID, object: null })).toBeNull();
  });
});

describe('Chaturbate chat', () => {
  let server: ChatEventsServer;
  let read: ReadFeed;

  const open = async (clock?: ManualClock): Promise<void> => {
    const source = new ChaturbateChat({ eventsUrl: server.url });
    const target = { streamId: STREAM_ID, channel: 'Room', options: { token: ChatEventsServer.token } };
    read = await ReadFeed.open({ stand: server, source, target }, clock === undefined ? {} : { clock });
  };
  const live = (): Promise<void> => until('live', () => read.state === 'live');

  beforeEach(async () => {
    server = await ChatEventsServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it.each([
    ['https://chaturbate.com/some_body/', 'some_body'],
    ['https://de.chaturbate.com/some_body', 'some_body'],
    ['https://chaturbate.com/tags/x/', null],
    ['https://chaturbate.com/', null],
    ['https://eventsapi.chaturbate.example.test/some_body/', null],
  ])('finds the room of %s', (url, channel) => {
    expect(new ChaturbateChat({ eventsUrl: '' }).channelOf(new URL(url))).toBe(channel);
  });

  it('asks once without being held, and goes on where the answer says', async () => {
    await open();
    await live();
    await until('the second request', () => server.waiting);
    expect(server.asked).toEqual([
      `/events/room/${ChatEventsServer.token}/?timeout=0`,
      `/events/room/${ChatEventsServer.token}/?i=0&timeout=20`,
    ]);
  });

  it('goes on where it was after the connection broke, and misses nothing', async () => {
    await open();
    await live();
    await until('the second request', () => server.waiting);
    server.instead.push((response) => response.destroy());
    server.sever();
    server.say({ id: 'm1', user: 'ann', text: 'meanwhile' });
    await until('the message', () => read.has('meanwhile'));
  });

  it.each([
    'http://127.0.0.1:PORT/events/room/stand-in-token/?i=1',
    '//127.0.0.1:PORT/',
    '/elsewhere',
    'file:///etc/passwd',
  ])('does not follow %s', async (nextUrl) => {
    const canary = await Canary.start();
    server.nextUrl = nextUrl.replace('PORT', String(canary.port));
    await open();
    await until('degraded', () => read.state === 'degraded');
    expect(read.feed.status().detail).toBe('Chaturbate sends us elsewhere.');
    expect(canary.connections).toBe(0);
    await canary.stop();
  });

  it.each([
    ['a redirect to another server', 302, { location: 'http://127.0.0.1:1/' }, 'degraded'],
    ['403', 403, {}, 'auth_failed'],
    ['429', 429, {}, 'degraded'],
    ['520', 520, {}, 'degraded'],
    ['a page that is no JSON', 200, {}, 'degraded'],
  ])('takes %s as it should, and never tells the token', async (_title, status, headers, state) => {
    server.instead = Array.from({ length: 5 }, () => (response) => response.writeHead(status, headers).end('<html>'));
    await open();
    await until(state, () => read.state === state);
    expect(JSON.stringify([read.statuses, read.lane.lastFault()])).not.toContain(ChatEventsServer.token);
  });

  it('gives up a request that is not answered in time', async () => {
    const clock = new ManualClock();
    await open(clock);
    await live();
    clock.advance(250);
    await until('the second request', () => server.waiting);
    server.freeze();
    clock.advance(27_999);
    expect(read.state).toBe('live');
    clock.advance(1);
    await until('another connection', () => read.feed.figures().reconnects === 1 && read.state === 'live');
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'degraded', 'live']);
  });

  it('does not hurry however fast the server answers', async () => {
    const clock = new ManualClock();
    await open(clock);
    await live();
    expect(clock.waits.at(-1)).toBe(250);
    clock.advance(250);
    await until('the second request', () => server.accepted === 2);
  });
});
