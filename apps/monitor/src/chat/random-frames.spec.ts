import { ChatMessage } from '#libs/contracts/chat.js';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { Noise, seeded } from '#libs/testing/chat-noise.js';
import { ChatPusherServer } from '#libs/testing/chat-pusher-server.js';
import { until } from '#libs/testing/chat-time.js';
import { EventFrame, toDraft as ofChaturbate } from './chaturbate/chaturbate-event.js';
import type { ChatDraft } from './chat-source.port.js';
import { ReadFeed, STAGES, STREAM_ID } from './chat-stages.fixture.js';
import { parseJson } from './json-frame.js';
import { PusherFrame, eventOf, innerData, toDraft as ofKick } from './kick/kick-message.js';
import { seal } from './seal.js';
import { parseIrcLine } from './twitch/irc-line.js';
import { toDraft as ofTwitch } from './twitch/twitch-message.js';
import { toDraft as ofYoutube } from './youtube/youtube-item.js';

/** For each of the four sources. */
const FRAMES = 25_000;
/** Chosen once; a failure can be run again. */
const SEED = 20_261_122;

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

describe('a hundred thousand random frames', () => {
  const irc = new Noise(IRC_LINES, seeded(SEED));
  const pusher = new Noise(KICK_EVENTS.map(kickFrame), seeded(SEED));
  const any = new Noise(['text', ...IRC_LINES], seeded(SEED));
  const readers: Record<string, (index: number) => ChatDraft | null | undefined> = {
    twitch: () => twitch(irc.next()),
    kick: (index) => {
      const [name, data] = KICK_EVENTS[index % KICK_EVENTS.length] ?? ['', {}];
      return kick(index % 2 === 0 ? pusher.next() : kickFrame([name, any.resemble(data)]));
    },
    chaturbate: (index) => chaturbate(any.resemble(CHATURBATE[index % CHATURBATE.length])),
    youtube: (index) => ofYoutube(any.resemble(YOUTUBE[index % YOUTUBE.length])),
  };

  it('are made for every source there is', () => {
    expect(Object.keys(readers).sort()).toEqual(Object.keys(STAGES).sort());
  });

  it.each(Object.entries(readers))(
    'of %s crash nothing, and what is read of them fits the contract',
    (platform, next) => {
      const context = { platform, streamId: STREAM_ID, receivedAt: 1_700_000_000_000 };
      let read = 0;
      for (let index = 0; index < FRAMES; index += 1) {
        const draft = next(index);
        const sealed = draft === null || draft === undefined ? null : seal(draft, context);
        if (sealed === null) continue;
        read += 1;
        const checked = ChatMessage.safeParse(sealed.message);
        if (!checked.success) throw new Error(`${JSON.stringify(sealed.message)}: ${checked.error.message}`);
      }
      // Noise that is all refused would prove little.
      expect(read).toBeGreaterThan(FRAMES / 20);
      expect(read).toBeLessThan(FRAMES);
    },
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
