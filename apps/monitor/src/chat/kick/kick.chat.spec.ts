import { ChatPusherServer } from '#libs/testing/chat-pusher-server.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { KickChat } from './kick.chat.js';

describe('Kick chat', () => {
  let server: ChatPusherServer;
  let site: HlsOrigin;
  let read: ReadFeed;

  const open = async (options = {}, clock?: ManualClock): Promise<void> => {
    const source = new KickChat({ socketUrl: server.url, siteUrl: site.url('/') });
    const target = { streamId: STREAM_ID, channel: 'Room', options };
    const stage = { stand: { hosts: [...server.hosts, site.host] }, source, target };
    read = await ReadFeed.open(stage, clock === undefined ? {} : { clock });
  };
  const live = (): Promise<void> => until('live', () => read.state === 'live');

  beforeEach(async () => {
    [server, site] = await Promise.all([ChatPusherServer.start(), HlsOrigin.start()]);
  });
  afterEach(async () => {
    await read?.stop();
    await Promise.all([server.stop(), site.stop()]);
  });

  it.each([
    ['https://kick.com/SomeBody', 'somebody'],
    ['https://www.kick.com/some-body?x=1', 'some-body'],
    ['https://kick.com/browse', null],
    ['https://kick.com/', null],
    ['https://kick.example.test/somebody', null],
  ])('finds the channel of %s', (url, channel) => {
    expect(new KickChat({ socketUrl: '', siteUrl: '' }).channelOf(new URL(url))).toBe(channel);
  });

  it('asks the site for the number of the room', async () => {
    site.text('/api/v2/channels/room', JSON.stringify({ id: 1, chatroom: { id: 77 }, livestream: null }));
    await open();
    await live();
    expect(server.server.heard).toEqual([
      JSON.stringify({ event: 'pusher:subscribe', data: { auth: '', channel: 'chatrooms.77.v2' } }),
    ]);
  });

  it.each([
    [403, 'auth_failed', 'chatroomId'],
    [404, 'offline', 'no such'],
    [500, 'degraded', '500'],
    [200, 'degraded', '200'],
  ])('takes %s from the site to mean %s', async (status, state, detail) => {
    site.text('/api/v2/channels/room', '<html>', 'text/html', status);
    await open();
    await until(state, () => read.state === state);
    expect(read.feed.status().detail).toContain(detail);
    expect(server.accepted).toBe(0);
  });

  it('answers pings', async () => {
    await open({ chatroomId: 1 });
    await live();
    server.server.broadcast('{"event":"pusher:ping","data":{}}');
    await until('the pong', () => server.server.heard.includes('{"event":"pusher:pong","data":{}}'));
  });

  it('reads messages with roles and emotes', async () => {
    await open({ chatroomId: 1 });
    await live();
    const badges = [{ type: 'moderator', text: 'Moderator' }, { type: 'constructor' }];
    server.event('ChatMessageEvent', {
      ...{ id: 'm1', content: 'so [emote:37226:KEKW] true', type: 'message', created_at: '2024-01-05T10:00:00+00:00' },
      sender: { id: 7, username: 'ann', identity: { badges } },
    });
    await until('the message', () => read.messages.length === 1);
    expect(read.messages[0]).toMatchObject({
      ...{ text: 'so KEKW true', userId: '7', username: 'ann', roles: ['moderator'] },
      sentAt: Date.UTC(2024, 0, 5, 10),
      fragments: [
        { type: 'text', text: 'so ' },
        { type: 'emote', text: 'KEKW', emoteId: '37226' },
        { type: 'text', text: ' true' },
      ],
    });
  });

  it('reads what was taken back', async () => {
    await open({ chatroomId: 1 });
    await live();
    server.event('MessageDeletedEvent', { id: 'd1', message: { id: 'm1' } });
    server.event('UserBannedEvent', { id: 'b1', user: { id: 7, username: 'ann' } });
    server.event('ChatroomClearEvent', { id: 'c1' });
    server.event('SomethingElseEvent', { id: 'x' });
    await until('three', () => read.messages.length === 3);
    expect(read.messages.map(({ kind, target }) => [kind, target])).toEqual([
      ['deleted', { messageId: 'm1' }],
      ['deleted', { userId: '7' }],
      ['deleted', {}],
    ]);
    expect(read.feed.figures().garbage).toBe(0);
  });

  it('counts a message that lacks what it must have', async () => {
    await open({ chatroomId: 1 });
    await live();
    server.event('ChatMessageEvent', { id: 'm1', content: 5 });
    server.event('ChatMessageEvent', 'not json');
    await until('both', () => read.feed.figures().garbage === 2);
  });

  it.each([
    [4_001, 'auth_failed'],
    [4_100, 'degraded'],
  ])('obeys the close code %s', async (code, state) => {
    const clock = new ManualClock();
    await open({ chatroomId: 1 }, clock);
    await live();
    server.close(code);
    await until(state, () => read.statuses.some((status) => status.state === state));
  });

  it('comes back at once on 4200 when it was healthy', async () => {
    const clock = new ManualClock();
    await open({ chatroomId: 1 }, clock);
    await live();
    clock.advance(60_000);
    await until('the ping', () => server.server.heard.includes('{"event":"pusher:ping","data":{}}'));
    server.close(4_200);
    await until('another connection', () => server.accepted === 2 && read.state === 'live');
  });

  it('finds out that a half-open connection is dead', async () => {
    const clock = new ManualClock();
    await open({ chatroomId: 1 }, clock);
    await live();
    server.freeze();
    clock.advance(89_999);
    expect(read.state).toBe('live');
    clock.advance(1);
    await until('another connection', () => server.accepted === 2 && read.state === 'live');
  });
});
