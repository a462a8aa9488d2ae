import { ChatMessage } from '#libs/contracts/chat.js';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { Noise, seeded } from '#libs/testing/chat-noise.js';
import { ChatPusherServer } from '#libs/testing/chat-pusher-server.js';
import { field } from '#libs/testing/chat-youtube-stream-server.js';
import { until } from '#libs/testing/chat-time.js';
import { EventFrame, toDraft as ofChaturbate } from './chaturbate/chaturbate-event.js';
import type { ChatDraft } from './chat-source.port.js';
import { ReadFeed, STAGES, STREAM_ID } from './chat-stages.fixture.js';
import { parseJson } from './json-frame.js';
import { PusherFrame, eventOf, innerData, toDraft as ofKick } from './kick/kick-message.js';
import { seal } from './seal.js';
import { parseIrcLine } from './twitch/irc-line.js';
import { toDraft as ofTwitch } from './twitch/twitch-message.js';
import { EventSubFrame, toDraft as ofEventSub } from './twitch/eventsub-message.js';
import { toDraft as ofYoutubeSite } from './youtube/innertube-action.js';
import { StreamListResponse, itemsOf, responseOf } from './youtube/stream-list.js';
import { toDraft as ofYoutube } from './youtube/youtube-item.js';

/** Chosen once and printed with a failure, which can then be run again. */
const SEED = 20_261_122;
/** Every so many of the frames that are read are held against the whole contract; the others have merely to be read. */
const CHECKED_EACH = 8;

const IRC_LINES = [
  '@badges=moderator/1;emotes=25:0-4,6-10/1902:12-16;id=a;tmi-sent-ts=1642696567751;user-id=4 :a!a@a PRIVMSG #room :Kappa hi',
  '@id=b;bits=5;display-name=\\s\\:x :b!b@b PRIVMSG #room :\x01ACTION waves\x01',
  '@id=c;login=ann;msg-id=resub;system-msg=ann\\ssubscribed :tmi.twitch.tv USERNOTICE #room :words',
  '@target-msg-id=a;tmi-sent-ts=5 :tmi.twitch.tv CLEARMSG #room :x',
  '@target-user-id=7;tmi-sent-ts=5 :tmi.twitch.tv CLEARCHAT #room :ann',
  ':tmi.twitch.tv NOTICE #room :something',
  'PING :tmi.twitch.tv',
];
const KICK_EVENTS: readonly (readonly [string, unknown])[] = [
  [
    'ChatMessageEvent',
    {
      id: 'm1',
      content: 'a [emote:1:b] c',
      created_at: '2024-01-05T10:00:00Z',
      sender: { id: 7, username: 'ann', identity: { badges: [{ type: 'vip' }] } },
    },
  ],
  ['MessageDeletedEvent', { id: 'd', message: { id: 'm1' } }],
  ['UserBannedEvent', { id: 'b', user: { id: 7, username: 'ann' } }],
  ['ChatroomClearEvent', { id: 'c' }],
];
const kickFrame = ([name, data]: readonly [string, unknown]): string =>
  JSON.stringify({ event: `App\\Events\\${name}`, channel: 'chatrooms.42.v2', data: JSON.stringify(data) });
const CHATURBATE = [
  {
    method: 'chatMessage',
    id: '1625274862454-0',
    object: { message: { message: 'hi' }, broadcaster: 'r', user: { username: 'ann', isMod: true } },
  },
  {
    method: 'tip',
    id: '1625274862454-1',
    object: { tip: { tokens: 5, isAnon: false, message: '| x' }, user: { username: 'ann' } },
  },
  { method: 'roomSubjectChange', id: '1625274862454-2', object: { subject: 'x' } },
];
const YOUTUBE = [
  {
    id: 'a',
    snippet: {
      type: 'textMessageEvent',
      publishedAt: '2024-01-05T10:00:00Z',
      textMessageDetails: { messageText: 'x' },
    },
    authorDetails: { channelId: 'UC1', displayName: 'ann' },
  },
  { id: 'b', snippet: { type: 'superChatEvent', superChatDetails: { amountMicros: '5', currency: 'EUR' } } },
  { id: 'c', snippet: { type: 'messageDeletedEvent', messageDeletedDetails: { deletedMessageId: 'a' } } },
];

function kick(text: string): ChatDraft | null | undefined {
  const { data: frame } = PusherFrame.safeParse(parseJson(text));
  const event = frame === undefined ? null : eventOf(frame.event);
  return event === null ? null : ofKick(event, innerData(frame?.data), 0);
}

function chaturbate(value: unknown): ChatDraft | null | undefined {
  const { data } = EventFrame.safeParse(value);
  return data === undefined ? null : ofChaturbate(data);
}

function twitch(text: string): ChatDraft | null {
  const line = parseIrcLine(text);
  return line === null ? null : ofTwitch(line);
}

const EVENTSUB = [
  ['channel.chat.message', { message_id: 'm1', chatter_user_login: 'ann', message: { text: 'hi', fragments: [] } }],
  ['channel.chat.notification', { message_id: 'm2', system_message: 'ann subscribed', badges: [{ set_id: 'vip' }] }],
  ['channel.chat.message_delete', { message_id: 'm1', target_user_login: 'ann' }],
  ['channel.chat.clear_user_messages', { target_user_id: '7' }],
].map(([type, event]) => ({
  metadata: { message_id: 'n', message_type: 'notification', message_timestamp: '2024-01-05T10:00:00.5Z' },
  payload: { subscription: { type, status: 'enabled' }, event },
}));
const item = { id: 'i', authorExternalChannelId: 'UC1', authorName: { simpleText: 'ann' }, timestampUsec: '5000' };
const YOUTUBE_SITE = [
  { addChatItemAction: { item: { liveChatTextMessageRenderer: { ...item, message: { runs: [{ text: 'hi' }] } } } } },
  {
    addChatItemAction: { item: { liveChatPaidStickerRenderer: { ...item, purchaseAmountText: { simpleText: '$5' } } } },
  },
  { removeChatItemAction: { targetItemId: 'i' } },
  { removeChatItemByAuthorAction: { externalChannelId: 'UC1' } },
];
const YOUTUBE_PUSH = Buffer.concat([
  field(100_602, 'next'),
  field(1_007, [
    field(101, 'i'),
    field(2, [field(1, 1), field(19, [field(1, 'hi')])]),
    field(3, [field(10_101, 'UC1'), field(103, 'ann')]),
  ]),
  field(1_007, [field(101, 'j'), field(2, [field(1, 15), field(27, [field(1, 5_000_000), field(2, 'EUR')])])]),
]);

function eventSub(text: string): ChatDraft | null | undefined {
  const { data } = EventSubFrame.safeParse(parseJson(text));
  return data === undefined ? null : ofEventSub(data);
}

/** Bytes of the push with some of them changed: what does not decode ends the stream, which is what gRPC does then. */
function youtubePush(random: () => number): ChatDraft | null | undefined {
  const bytes = Buffer.from(YOUTUBE_PUSH.subarray(0, random() < 0.1 ? random() * YOUTUBE_PUSH.length : undefined));
  for (let times = Math.floor(random() * 3); times > 0; times -= 1) {
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  let decoded: object;
  try {
    decoded = responseOf(bytes);
  } catch {
    return null;
  }
  const { data } = StreamListResponse.safeParse(decoded);
  return data === undefined ? null : ofYoutube(itemsOf(data)[0]);
}

type Reader = (index: number) => ChatDraft | null | undefined;

describe(`a million random frames from seed ${SEED}`, () => {
  const irc = new Noise(IRC_LINES, seeded(SEED));
  const pusher = new Noise(KICK_EVENTS.map(kickFrame), seeded(SEED));
  const notifications = new Noise(
    EVENTSUB.map((frame) => JSON.stringify(frame)),
    seeded(SEED),
  );
  const any = new Noise(['text', ...IRC_LINES], seeded(SEED));
  const bytes = seeded(SEED);
  const readers: Record<string, readonly [frames: number, reader: Reader]> = {
    twitch: [700_000, (): ChatDraft | null => twitch(irc.next())],
    'twitch:eventsub': [
      80_000,
      (index) =>
        eventSub(
          index % 2 === 0
            ? notifications.next()
            : JSON.stringify(any.resemble(EVENTSUB[(index >> 1) % EVENTSUB.length])),
        ),
    ],
    kick: [
      80_000,
      (index) => {
        const [name, data] = KICK_EVENTS[(index >> 1) % KICK_EVENTS.length] ?? ['', {}];
        return kick(index % 2 === 0 ? pusher.next() : kickFrame([name, any.resemble(data)]));
      },
    ],
    chaturbate: [40_000, (index) => chaturbate(any.resemble(CHATURBATE[index % CHATURBATE.length]))],
    youtube: [40_000, (index) => ofYoutube(any.resemble(YOUTUBE[index % YOUTUBE.length]))],
    'youtube:stream': [30_000, (): ChatDraft | null | undefined => youtubePush(bytes)],
    'youtube:site': [
      30_000,
      (index) => ofYoutubeSite(any.resemble(YOUTUBE_SITE[index % YOUTUBE_SITE.length]), 1_700_000_000_000),
    ],
  };

  it('are made for every way of every source there is', () => {
    expect(Object.keys(readers).sort()).toEqual(Object.keys(STAGES).sort());
    expect(Object.values(readers).reduce((sum, [frames]) => sum + frames, 0)).toBe(1_000_000);
  });

  it.each(Object.entries(readers))(
    'of %s crash nothing, and what is read of them fits the contract',
    (way, [frames, next]) => {
      const context = { platform: way.split(':')[0] ?? '', streamId: STREAM_ID, receivedAt: 1_700_000_000_000 };
      let read = 0;
      for (let index = 0; index < frames; index += 1) {
        const draft = next(index);
        const sealed = draft === null || draft === undefined ? null : seal(draft, context);
        if (sealed === null) continue;
        read += 1;
        if (read % CHECKED_EACH !== 0) continue;
        const checked = ChatMessage.safeParse(sealed.message);
        if (!checked.success) throw new Error(`${JSON.stringify(sealed.message)}: ${checked.error.message}`);
      }
      // Noise that is all refused would prove little.
      expect(read).toBeGreaterThan(frames / 20);
      expect(read).toBeLessThan(frames);
    },
    60_000,
  );
});

describe('random frames over a socket', () => {
  it.each([
    ['twitch', IRC_LINES],
    ['kick', KICK_EVENTS.map(kickFrame)],
  ])('leave %s alive and listening', async (id, samples) => {
    const stage = await STAGES[id]?.();
    if (stage === undefined) throw new Error(`${id} has no stage`);
    const { stand } = stage;
    if (!(stand instanceof ChatIrcServer || stand instanceof ChatPusherServer)) throw new Error('it has no socket');
    const read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    const noise = new Noise(samples, seeded(SEED));
    for (let index = 0; index < 10_000; index += 1) stand.server.broadcast(noise.next());
    stand.say({ id: 'sense', user: 'ann', text: 'sense' });
    await until('the message', () => read.has('sense'));
    expect(stand.accepted).toBe(1);
    expect(read.feed.figures().garbage).toBeGreaterThan(100);
    await read.stop();
    await stand.stop();
  });
});
