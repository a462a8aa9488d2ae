import { ChatInnertubeServer } from '#libs/testing/chat-innertube-server.js';
import { ManualClock, until } from '#libs/testing/chat-time.js';
import { NOWHERE, ReadFeed, STREAM_ID } from '../chat-stages.fixture.js';
import { toDraft } from './innertube-action.js';
import { YoutubeChat } from './youtube.chat.js';

const added = (renderer: string, item: object): unknown => ({
  addChatItemAction: {
    item: { [renderer]: { id: 'i1', authorExternalChannelId: 'UC1', authorName: { simpleText: '@ann' }, ...item } },
  },
});
const badge = (parts: object): unknown => ({ liveChatAuthorBadgeRenderer: { tooltip: 'x', ...parts } });

describe("an action of the site's chat", () => {
  it.each([
    [
      added('liveChatTextMessageRenderer', {
        timestampUsec: '1704448800123456',
        message: {
          runs: [
            { text: 'hi ' },
            { emoji: { emojiId: '😀', shortcuts: [':grinning:'] } },
            { text: ' ' },
            { emoji: { emojiId: 'UC1/abc', shortcuts: [':_wave:'], isCustomEmoji: true } },
          ],
        },
        authorBadges: [badge({ icon: { iconType: 'MODERATOR' } }), badge({ customThumbnail: {} })],
      }),
      {
        ...{ kind: 'text', text: 'hi 😀 :_wave:', externalId: 'i1', userId: 'UC1', username: '@ann' },
        ...{ roles: ['moderator', 'subscriber'], sentAt: 1_704_448_800_123.456 },
        fragments: [{ text: 'hi ' }, { text: '😀' }, { text: ' ' }, { type: 'emote', emoteId: 'UC1/abc' }],
      },
    ],
    [
      added('liveChatPaidMessageRenderer', {
        purchaseAmountText: { simpleText: 'CA$1,234.50' },
        message: { runs: [{ text: 'x' }] },
      }),
      { kind: 'tip', text: 'x', tip: { amount: 1_234.5, currency: 'CA$' } },
    ],
    [
      added('liveChatPaidStickerRenderer', { purchaseAmountText: { simpleText: '¥500' } }),
      { kind: 'tip', text: '', tip: { amount: 500, currency: '¥' } },
    ],
    [
      added('liveChatMembershipItemRenderer', { headerSubtext: { runs: [{ text: 'New member' }] } }),
      { kind: 'system', text: 'New member' },
    ],
    [{ removeChatItemAction: { targetItemId: 'i1' } }, { kind: 'deleted', target: { messageId: 'i1' } }],
    [{ markChatItemAsDeletedAction: { targetItemId: 'i1' } }, { kind: 'deleted', target: { messageId: 'i1' } }],
    [{ removeChatItemByAuthorAction: { externalChannelId: 'UC1' } }, { kind: 'deleted', target: { userId: 'UC1' } }],
  ])('%j is read', (action, draft) => {
    expect(toDraft(action, 5)).toMatchObject(draft);
  });

  it.each([null, 5, { addChatItemAction: 5 }, added('liveChatTextMessageRenderer', {})])('%j is garbage', (action) => {
    expect(toDraft(action, 5)).toBeNull();
  });

  it.each([{}, { addLiveChatTickerItemAction: {} }, added('liveChatViewerEngagementMessageRenderer', {})])(
    '%j says nothing',
    (action) => {
      expect(toDraft(action, 5)).toBeUndefined();
    },
  );
});

describe('YouTube chat without a key', () => {
  let server: ChatInnertubeServer;
  let read: ReadFeed;

  const open = async (clock?: ManualClock, leastSitePollMs = 20): Promise<void> => {
    const source = new YoutubeChat({
      ...{ apiUrl: NOWHERE.youtubeApi, stream: null, siteUrl: server.url, leastPollMs: 20, leastSitePollMs },
    });
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: {} };
    read = await ReadFeed.open({ stand: server, source, target }, clock === undefined ? {} : { clock });
  };

  beforeEach(async () => {
    server = await ChatInnertubeServer.start();
  });
  afterEach(async () => {
    await read?.stop();
    await server.stop();
  });

  it('finds the chat of the video, then goes from page to page', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('three pages', () => server.asked.length >= 3 && read.has('one'));
    expect(server.asked[0]).toBe('stand-in-0');
    expect(server.asked.at(-1)).toBe('stand-in-1');
  });

  it('waits as long as the site says, within bounds', async () => {
    const clock = new ManualClock();
    server.timeoutMs = 7_000;
    await open(clock, 1_000);
    await until('the first page', () => clock.waits.at(-1) === 7_000);
    server.timeoutMs = 10;
    clock.advance(7_000);
    await until('the second', () => clock.waits.at(-1) === 1_000);
    server.timeoutMs = 1e9;
    clock.advance(1_000);
    await until('the third', () => clock.waits.at(-1) === 30_000);
  });

  it('goes on at the same place after the connection broke', async () => {
    await open();
    server.say({ id: 'm1', user: 'ann', text: 'one' });
    await until('the next page', () => server.asked.includes('stand-in-1'));
    server.sever();
    await until('another connection', () => read.feed.figures().reconnects === 1 && read.state === 'live');
    expect(server.asked.filter((continuation) => continuation === 'stand-in-0')).toHaveLength(1);
    expect(read.feed.figures().duplicates).toBe(0);
  });

  it('begins anew when the place is no longer known', async () => {
    await open();
    await until('live', () => read.state === 'live');
    server.instead.push((response) => response.writeHead(400).end('{}'));
    await until('another connection', () => read.feed.figures().reconnects === 1 && read.state === 'live');
    expect(server.asked.filter((continuation) => continuation === 'stand-in-0').length).toBeGreaterThan(1);
  });

  it.each(['replay', 'none'] as const)('is offline when the chat is %s', async (chat) => {
    server.chat = chat;
    await open();
    await until('offline', () => read.state === 'offline');
  });

  it('is offline when the chat ends', async () => {
    await open();
    await until('live', () => read.state === 'live');
    server.ended = true;
    await until('offline', () => read.state === 'offline');
  });

  it.each([403, 429])('does not insist when it is turned away with %i, and names the way out', async (status) => {
    const clock = new ManualClock();
    server.instead.push((response) => response.writeHead(status).end());
    await open(clock);
    await until('degraded', () => read.state === 'degraded');
    expect(read.feed.status().detail).toContain('API key');
    await until('the wait', () => clock.waits.at(-1) === 300_000);
  });

  it.each(['', '{"continuationContents":5}', '[]', 'x'.repeat(100)])(
    'counts the answer %j as garbage',
    async (body) => {
      server.instead.push((response) => response.end(body));
      await open();
      await until('garbage', () => read.feed.figures().garbage === 1);
      await until('another connection', () => read.state === 'live');
    },
  );

  it('gives up a request that is not answered in time', async () => {
    const clock = new ManualClock();
    server.freeze();
    await open(clock);
    await until('the request', () => server.asked.length === 1);
    clock.advance(15_000);
    await until('another connection', () => read.state === 'live');
  });
});
