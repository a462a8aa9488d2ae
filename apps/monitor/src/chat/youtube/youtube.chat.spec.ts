import { ManualClock, until } from '#libs/testing/chat-time.js';
import { ChatYoutubeServer } from '#libs/testing/chat-youtube-server.js';
import { NOWHERE, ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { toDraft } from './youtube-item.js';
import { YoutubeChat } from './youtube.chat.js';

const author = { channelId: 'UC1', displayName: 'ann', isChatModerator: true, isChatSponsor: true, isVerified: true };
const item = (type: string, details: object, more: object = { authorDetails: author }): unknown => ({
  ...{ id: 'i1', snippet: { type, publishedAt: '2024-01-05T10:00:00.5+00:00', ...details } },
  ...more,
});

const BY_POLLING = {
  apiUrl: NOWHERE.youtubeApi,
  stream: null,
  siteUrl: NOWHERE.youtubeSite,
  leastPollMs: 1,
  leastSitePollMs: 1,
};

describe('an item of YouTube', () => {
  it.each([
    [
      item('textMessageEvent', { textMessageDetails: { messageText: 'hello' }, displayMessage: 'hello' }),
      { kind: 'text', text: 'hello', userId: 'UC1', username: 'ann', roles: ['moderator', 'subscriber', 'verified'] },
    ],
    [
      item('superChatEvent', { superChatDetails: { amountMicros: '4990000', currency: 'EUR', userComment: 'nice' } }),
      { kind: 'tip', text: 'nice', tip: { amount: 4.99, currency: 'EUR' } },
    ],
    [
      item('superStickerEvent', { superStickerDetails: { amountMicros: '2000000', currency: 'USD' } }),
      { kind: 'tip', text: '', tip: { amount: 2, currency: 'USD' } },
    ],
    [
      item('memberMilestoneChatEvent', { memberMilestoneChatDetails: { userComment: 'a year' }, displayMessage: 'x' }),
      { kind: 'system', text: 'a year' },
    ],
    [item('newSponsorEvent', { displayMessage: 'ann is a member' }), { kind: 'system', text: 'ann is a member' }],
    [
      item('messageDeletedEvent', { messageDeletedDetails: { deletedMessageId: 'm1' } }),
      { kind: 'deleted', externalId: 'deleted:m1', target: { messageId: 'm1' } },
    ],
    [
      item('userBannedEvent', { userBannedDetails: { bannedUserDetails: { channelId: 'UC2' } } }, {}),
      { kind: 'deleted', target: { userId: 'UC2' }, sentAt: Date.UTC(2024, 0, 5, 10, 0, 0, 500) },
    ],
  ])('%j is read', (raw, parts) => {
    expect(toDraft(raw)).toMatchObject(parts);
  });

  it.each([null, 5, {}, item('textMessageEvent', {}), item('superChatEvent', {}), item('messageDeletedEvent', {})])(
    '%j is garbage',
    (raw) => {
      expect(toDraft(raw)).toBeNull();
    },
  );

  it.each(['tombstone', 'sponsorOnlyModeStartedEvent', 'constructor'])('%s says nothing', (type) => {
    expect(toDraft(item(type, {}))).toBeUndefined();
  });
});

describe('YouTube chat', () => {
  let server: ChatYoutubeServer;
  let read: ReadFeed;

  const open = async (clock?: ManualClock, leastPollMs = 20): Promise<void> => {
    const source = new YoutubeChat({ ...BY_POLLING, apiUrl: server.url, leastPollMs });
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: { apiKey: ChatYoutubeServer.key } };
    read = await ReadFeed.open({ stand: server, source, target }, clock === undefined ? {} : { clock });
  };
  const polls = (): URL[] => server.asked.filter(({ pathname }) => pathname.endsWith('/liveChat/messages'));

  beforeEach(async () => {
    server = await ChatYoutubeServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it.each([
    ['https://www.youtube.com/watch?v=abcdefghijk&t=5', 'abcdefghijk'],
    ['https://youtu.be/abcdefghijk', 'abcdefghijk'],
    ['https://m.youtube.com/live/abcdefghijk?x=1', 'abcdefghijk'],
    ['https://www.youtube.com/@somebody/live', null],
    ['https://www.youtube.com/watch', null],
    ['https://youtube.example.test/watch?v=abcdefghijk', null],
  ])('finds the video of %s', (url, channel) => {
    expect(new YoutubeChat(BY_POLLING).channelOf(new URL(url))).toBe(channel);
  });

  it('asks for the chat of the video, then page by page', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('three polls', () => polls().length >= 3 && read.messages.length === 1);
    expect(server.asked[0]?.searchParams.get('id')).toBe('abcdefghijk');
    expect(polls()[0]?.searchParams.get('liveChatId')).toBe('chat');
    expect(polls()[0]?.searchParams.has('pageToken')).toBe(false);
    expect(polls().at(-1)?.searchParams.get('pageToken')).toBe('1');
  });

  it('waits as long as the server says, and never less than the quota allows', async () => {
    const clock = new ManualClock();
    server.pollingIntervalMillis = 7_000;
    await open(clock, 5_000);
    await until('the first answer', () => read.state === 'live');
    expect(clock.waits.at(-1)).toBe(7_000);
    server.pollingIntervalMillis = 100;
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    clock.advance(7_000);
    await until('the second answer', () => read.has('one'));
    expect(clock.waits.at(-1)).toBe(5_000);
    clock.advance(5_000);
    await until('the third poll', () => polls().length === 3);
  });

  it('goes on at the same page after the connection broke', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('the message', () => read.has('one'));
    server.sever();
    await until('another connection', () => read.feed.figures().reconnects === 1 && read.state === 'live');
    expect(read.feed.figures().duplicates).toBe(0);
  });

  it('is offline when the video has no chat', async () => {
    server.hasChat = false;
    await open();
    await until('offline', () => read.state === 'offline');
  });

  it('is offline when the chat ends', async () => {
    await open();
    await until('live', () => read.state === 'live');
    server.offlineAt = '2024-01-05T11:00:00Z';
    await until('offline', () => read.state === 'offline');
  });

  it.each([
    [403, 'quotaExceeded', 'degraded', 1_800_000],
    [403, 'liveChatEnded', 'offline', 60_000],
    [403, 'rateLimitExceeded', 'degraded', 10_000],
    [403, 'accessNotConfigured', 'auth_failed', null],
  ])('obeys %s %s', async (status, reason, state, waitMs) => {
    const clock = new ManualClock();
    server.fail(status, reason);
    await open(clock);
    await until(state, () => read.state === state);
    expect(JSON.stringify(read.statuses)).not.toContain(ChatYoutubeServer.key);
    if (waitMs === null) return;
    await until('the wait', () => clock.pending === 1);
    const { accepted } = server;
    expect(clock.waits.at(-1)).toBe(waitMs);
    clock.advance(waitMs);
    await until('another try', () => server.accepted > accepted);
  });

  it('gives up a request that is not answered in time', async () => {
    const clock = new ManualClock();
    server.freeze();
    await open(clock);
    await until('the request', () => polls().length === 1);
    clock.advance(15_000);
    await until('another connection', () => read.state === 'live');
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'degraded', 'live']);
  });
});
