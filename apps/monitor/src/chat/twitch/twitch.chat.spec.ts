import { ChatIrcServer, privmsg } from '#libs/testing/chat-irc-server.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { NO_EVENTSUB, ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { TwitchChat } from './twitch.chat.js';

describe('Twitch chat', () => {
  let server: ChatIrcServer;
  let read: ReadFeed;
  const target = { streamId: STREAM_ID, channel: 'Room', options: {} };

  const open = async (options: Parameters<typeof ReadFeed.open>[1] = {}, change = {}): Promise<void> => {
    const stage = {
      stand: server,
      source: new TwitchChat({ url: server.url, eventSub: NO_EVENTSUB }),
      target: { ...target, ...change },
    };
    read = await ReadFeed.open(stage, options);
  };
  const live = (): Promise<void> => until('live', () => read.state === 'live');

  beforeEach(async () => {
    server = await ChatIrcServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it.each([
    ['https://www.twitch.tv/SomeBody', 'somebody'],
    ['https://m.twitch.tv/some_body/videos?x=1', 'some_body'],
    ['https://twitch.tv/directory/all', null],
    ['https://twitch.tv/', null],
    ['https://twitch.tv.example.test/somebody', null],
    ['ftp://twitch.tv/somebody', null],
  ])('finds the channel of %s', (url, channel) => {
    expect(new TwitchChat({ url: '', eventSub: NO_EVENTSUB }).channelOf(new URL(url))).toBe(channel);
  });

  it('asks for tags, logs in without a name, and joins once it is welcome', async () => {
    await open();
    await live();
    const [first, second, third] = server.server.heard;
    expect(first).toBe('CAP REQ :twitch.tv/tags twitch.tv/commands\r\n');
    expect(second).toMatch(/^NICK justinfan\d{5}\r\n$/);
    expect(third).toBe('JOIN #room\r\n');
  });

  it('logs in with an account when it has one', async () => {
    server.tokens.add('good');
    await open({}, { options: { login: 'reader', token: 'oauth:good' } });
    await live();
    expect(server.server.heard[1]).toBe('PASS oauth:good\r\nNICK reader\r\n');
  });

  it.each([{ login: 'reader' }, { token: 'good' }, { login: 'reader', token: 'a\r\nJOIN #other' }])(
    'does not log in with %j',
    async (options) => {
      await open({}, { options });
      await until('auth_failed', () => read.state === 'auth_failed');
      expect(server.accepted).toBe(0);
    },
  );

  it('answers PING', async () => {
    await open();
    await live();
    server.server.broadcast('PING :tmi.twitch.tv\r\n');
    await until('PONG', () => server.server.heard.includes('PONG :tmi.twitch.tv\r\n'));
  });

  it('reads several lines of one frame', async () => {
    await open();
    await live();
    const line = (id: string): string => privmsg('#room', { id, user: 'ann', text: id });
    server.server.broadcast(`${line('a')}\r\nPING :x\r\n${line('b')}\r\n`);
    await until('both', () => read.messages.length === 2);
    expect(read.messages.map(({ text }) => text)).toEqual(['a', 'b']);
  });

  it('does not take what was said in another room', async () => {
    await open();
    await live();
    server.everywhere(() => privmsg('#other', { id: 'x', user: 'ann', text: 'elsewhere' }));
    server.say({ id: 'y', user: 'ann', text: 'here' });
    await until('the message', () => read.has('here'));
    expect(read.has('elsewhere')).toBe(false);
  });

  it('opens the new connection before it closes the old one when asked to move, and misses nothing', async () => {
    const clock = new ManualClock();
    await open({ clock });
    await live();
    clock.advance(59_000);
    clock.advance(2_000);
    await until('the ping', () => server.server.heard.includes('PING :vigil\r\n'));
    server.deaf = true;
    server.reconnect();
    await until('a second connection', () => server.accepted === 2 && server.joins.length === 2);
    server.say({ id: 'between', user: 'ann', text: 'between' });
    await until('what the old one still brings', () => read.has('between'));
    expect(server.server.open).toHaveLength(2);
    expect(read.state).toBe('live');
    server.deaf = false;
    clock.advance(15_000);
    await until(
      'the old one to go once the new one is live',
      () => server.joins.length === 3 && server.server.open.length === 1,
    );
    server.say({ id: 'after', user: 'ann', text: 'after' });
    await until('what the new one brings', () => read.has('after'));
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });

  it('finds out that a half-open connection is dead: no answer within 10 s of the ping each 60 s', async () => {
    const clock = new ManualClock();
    await open({ clock });
    await live();
    server.freeze();
    clock.advance(60_000);
    clock.advance(9_999);
    expect(read.state).toBe('live');
    clock.advance(1);
    await until('another connection', () => read.state === 'live' && server.accepted === 2);
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'degraded', 'live']);
    expect(read.statuses[2]?.detail).toBe('The chat server no longer answers.');
  });

  it('stays with a server that answers its pings', async () => {
    const clock = new ManualClock();
    await open({ clock });
    await live();
    for (let round = 1; round <= 3; round += 1) {
      clock.advance(60_000);
      const pings = (): number => server.server.heard.filter((line) => line.startsWith('PING')).length;
      await until('the ping', () => pings() === round);
      server.say({ id: `round-${round}`, user: 'ann', text: `round ${round}` });
      await until('an answer', () => read.has(`round ${round}`));
      clock.advance(10_000);
    }
    expect(server.accepted).toBe(1);
  });

  it('gives up a server that does not confirm the join', async () => {
    const clock = new ManualClock();
    server.deaf = true;
    await open({ clock });
    await until('the join', () => server.joins.length === 1);
    clock.advance(15_000);
    await until('degraded', () => read.state === 'degraded');
  });

  it.each([
    ['msg_banned', 'auth_failed'],
    ['msg_channel_suspended', 'offline'],
  ])('takes the notice %s to mean %s', async (id, state) => {
    await open();
    await live();
    server.everywhere((room) => `@msg-id=${id} :tmi.twitch.tv NOTICE ${room} :Something was said.`);
    await until(state, () => read.state === state);
  });
});
