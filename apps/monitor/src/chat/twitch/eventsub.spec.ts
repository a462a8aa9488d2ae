import { ChatEventSubServer } from '#libs/testing/chat-eventsub-server.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { NOWHERE, ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { EventSubFrame, toDraft } from './eventsub-message.js';
import { TwitchChat } from './twitch.chat.js';

const frame = (type: string, event: unknown): EventSubFrame =>
  EventSubFrame.parse({
    metadata: { message_id: 'n1', message_type: 'notification', message_timestamp: '2023-11-06T18:11:47.492253549Z' },
    payload: { subscription: { type, status: 'enabled' }, event },
  });
const chatter = { chatter_user_id: '4145994', chatter_user_login: 'viewer32', message_id: 'm1' };

describe('a notification of EventSub', () => {
  it.each([
    [
      'channel.chat.message',
      {
        ...chatter,
        badges: [{ set_id: 'moderator', id: '1', info: '' }],
        message: {
          text: 'Hi Kappa',
          fragments: [
            { type: 'text', text: 'Hi ', emote: null },
            { type: 'emote', text: 'Kappa', emote: { id: '25' } },
          ],
        },
      },
      {
        ...{ kind: 'text', externalId: 'm1', userId: '4145994', username: 'viewer32', roles: ['moderator'] },
        ...{ text: 'Hi Kappa', sentAt: Date.UTC(2023, 10, 6, 18, 11, 47, 492) },
        fragments: [
          { type: 'text', text: 'Hi ' },
          { type: 'emote', text: 'Kappa', emoteId: '25' },
        ],
      },
    ],
    [
      'channel.chat.message',
      { ...chatter, message: { text: 'Cheer5', fragments: [] }, cheer: { bits: 5 } },
      { kind: 'tip', tip: { amount: 5, currency: 'bits' } },
    ],
    [
      'channel.chat.notification',
      { ...chatter, system_message: 'viewer32 subscribed', message: { text: '', fragments: [] } },
      { kind: 'system', text: 'viewer32 subscribed' },
    ],
    [
      'channel.chat.message_delete',
      { target_user_login: 'viewer32', message_id: 'm1' },
      { kind: 'deleted', externalId: 'deleted:m1', target: { messageId: 'm1' } },
    ],
    ['channel.chat.clear_user_messages', { target_user_id: '7' }, { kind: 'deleted', target: { userId: '7' } }],
    ['channel.chat.clear', {}, { kind: 'deleted', target: {}, externalId: 'cleared:n1' }],
  ])('%s is read', (type, event, draft) => {
    expect(toDraft(frame(type, event))).toMatchObject(draft);
  });

  it('keeps no fragments that do not make up the text', () => {
    const message = { text: 'Hi', fragments: [{ type: 'emote', text: 'Kappa', emote: { id: '25' } }] };
    expect(toDraft(frame('channel.chat.message', { ...chatter, message }))).not.toHaveProperty('fragments');
  });

  it('is garbage when it lacks what a message must have, and nothing when it is of another kind', () => {
    expect(toDraft(frame('channel.chat.message', { ...chatter, message_id: '' }))).toBeNull();
    expect(toDraft(frame('channel.follow', {}))).toBeUndefined();
  });
});

describe('Twitch chat by EventSub', () => {
  let server: ChatEventSubServer;
  let read: ReadFeed;
  const { clientId, userId, token: accessToken } = ChatEventSubServer;
  const account = { clientId, accessToken, userId };

  const open = async (clock?: ManualClock, change = {}): Promise<void> => {
    const source = new TwitchChat({
      url: NOWHERE.twitchIrc,
      eventSub: { socketUrl: server.url, apiUrl: server.apiUrl },
    });
    const target = { streamId: STREAM_ID, channel: 'Room', options: account, ...change };
    read = await ReadFeed.open({ stand: server, source, target }, clock === undefined ? {} : { clock });
  };
  const live = (): Promise<void> => until('live', () => read.state === 'live');

  beforeEach(async () => {
    server = await ChatEventSubServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it('subscribes to the chat of the room by the session it was welcomed to, then to what else a room says', async () => {
    await open();
    await until('all subscriptions', () => server.subscriptions.length === 5);
    expect(server.opened[0]?.searchParams.get('keepalive_timeout_seconds')).toBe('30');
    expect(server.subscriptions[0]).toEqual({
      ...{ type: 'channel.chat.message', version: '1', condition: { broadcaster_user_id: '100', user_id: '900' } },
      transport: { method: 'websocket', session_id: 'loopback-stand-in-for-tests-1' },
    });
    expect(server.server.heard).toEqual([]);
  });

  it('is live as soon as the chat is subscribed to, whatever becomes of the rest', async () => {
    server.instead.push({ status: 202, message: '' }, { status: 403, message: 'missing scope' });
    await open();
    await live();
    await until('the rest', () => server.subscriptions.length === 3);
    expect(read.state).toBe('live');
  });

  it.each([
    [401, 'Invalid OAuth token', 'auth_failed'],
    [403, 'subscription missing proper authorization', 'auth_failed'],
    [400, 'The ID in the user_id field must match the user ID of the token', 'auth_failed'],
    [400, 'websocket transport session does not exist or has already disconnected', 'degraded'],
    [429, 'number of websocket transports limit exceeded', 'degraded'],
    [500, 'x', 'degraded'],
  ])('takes %s %s for an answer', async (status, message, state) => {
    const clock = new ManualClock();
    server.instead.push({ status, message });
    await open(clock);
    await until(state, () => read.state === state);
    expect(JSON.stringify(read.statuses)).not.toContain(accessToken);
    if (status === 429) {
      await until('the wait', () => clock.pending === 1);
      expect(clock.waits.at(-1)).toBe(60_000);
    }
  });

  it('is offline when there is no such channel', async () => {
    await open(undefined, { channel: 'nobody' });
    await until('offline', () => read.state === 'offline');
  });

  it('moves with its session: the new connection is there before the old one goes, and nothing is subscribed anew', async () => {
    const clock = new ManualClock();
    await open(clock);
    await until('all subscriptions', () => server.subscriptions.length === 5);
    for (let half = 0; half < 4; half += 1) {
      clock.advance(20_000);
      server.keepalive();
      server.say({ id: `k${half}`, user: 'ann', text: `k${half}` });
      await until('the keepalive', () => read.has(`k${half}`));
    }
    server.deaf = true;
    server.move();
    await until('a second socket', () => server.opened.length === 2);
    server.say({ id: 'between', user: 'ann', text: 'between' });
    await until('what the old one still brings', () => read.has('between'));
    expect(server.server.open).toHaveLength(2);
    server.deaf = false;
    clock.advance(15_000);
    await until('the old one to go', () => server.server.open.length === 1 && server.opened.length >= 3);
    server.say({ id: 'after', user: 'ann', text: 'after' });
    await until('what the new one brings', () => read.has('after'));
    expect(server.opened[1]?.searchParams.get('session')).toBe('loopback-stand-in-for-tests-1');
    // An address to move to is good for one attempt.
    expect(server.opened[2]?.searchParams.get('session')).toBeNull();
  });

  it('misses nothing and doubles nothing when both connections bring the same for a while', async () => {
    const clock = new ManualClock();
    await open(clock);
    await until('all subscriptions', () => server.subscriptions.length === 5);
    server.move();
    await until('the wait', () => clock.waits.at(-1) !== 40_000 || server.opened.length === 2);
    clock.advance(1_000);
    await until('the move', () => server.opened.length === 2 && server.server.open.length === 1);
    for (const text of ['one', 'one', 'two']) server.say({ id: text, user: 'ann', text });
    await until('both', () => read.has('two'));
    expect(read.messages.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(server.subscriptions).toHaveLength(5);
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });

  it.each(['ws://127.0.0.1:1/ws', 'http://somewhere.test/', 'not a url'])('does not move to %s', async (url) => {
    await open();
    await live();
    server.move(url);
    await until('garbage', () => read.feed.figures().garbage === 1);
    server.say({ id: 'm1', user: 'ann', text: 'still here' });
    await until('the message', () => read.has('still here'));
    expect(server.opened).toHaveLength(1);
  });

  it('finds out that a half-open connection is dead: silent for the keepalive time and a little', async () => {
    const clock = new ManualClock();
    await open(clock);
    await until('all subscriptions', () => server.subscriptions.length === 5);
    server.freeze();
    clock.advance(39_999);
    expect(read.state).toBe('live');
    clock.advance(1);
    await until('another connection', () => server.opened.length === 2 && read.state === 'live');
    expect(read.statuses.map(({ detail }) => detail)).toContain('The chat server no longer answers.');
  });

  it('stays with a server that keeps itself alive', async () => {
    const clock = new ManualClock();
    await open(clock);
    await until('all subscriptions', () => server.subscriptions.length === 5);
    for (let round = 0; round < 5; round += 1) {
      clock.advance(30_000);
      server.keepalive();
      server.say({ id: `r${round}`, user: 'ann', text: `r${round}` });
      await until('the message', () => read.has(`r${round}`));
    }
    expect(server.opened).toHaveLength(1);
  });

  it.each([
    ['channel.chat.message', 'authorization_revoked', 'auth_failed'],
    ['channel.chat.message', 'chat_user_banned', 'auth_failed'],
    ['channel.chat.clear', 'version_removed', 'live'],
  ])('after a revocation of %s because of %s it is %s', async (type, status, state) => {
    await open();
    await live();
    server.revoke(type, status);
    server.babble();
    await until(state, () => read.state === state && (state !== 'live' || read.feed.figures().garbage === 1));
  });

  it('gives up a server that does not welcome it', async () => {
    const clock = new ManualClock();
    server.deaf = true;
    await open(clock);
    await until('the socket', () => server.opened.length === 1);
    // Its opening takes its way through the tunnel.
    await until('the watch', () => clock.waits.includes(40_000));
    clock.advance(15_000);
    await until('degraded', () => read.state === 'degraded');
  });

  it.each([
    { clientId, accessToken },
    { ...account, login: 'reader', token: 'x' },
    { ...account, userId: 'not-a-number' },
  ])('does not dial with %j', async (options) => {
    await open(undefined, { options });
    await until('auth_failed', () => read.state === 'auth_failed');
    expect(server.accepted).toBe(0);
  });
});
