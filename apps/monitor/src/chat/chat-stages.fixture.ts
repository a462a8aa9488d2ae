import { pino } from 'pino';
import type { ChatMessage, ChatStatus } from '#libs/contracts/chat.js';
import { UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { ChatEventSubServer } from '#libs/testing/chat-eventsub-server.js';
import { ChatEventsServer } from '#libs/testing/chat-events-server.js';
import { ChatInnertubeServer } from '#libs/testing/chat-innertube-server.js';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { ChatPusherServer } from '#libs/testing/chat-pusher-server.js';
import type { ChatStand } from '#libs/testing/chat-socket-server.js';
import { ChatYoutubeServer } from '#libs/testing/chat-youtube-server.js';
import { ChatYoutubeStreamServer } from '#libs/testing/chat-youtube-stream-server.js';
import { systemClock, type Clock } from '../capture/clock.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import type { ChatFeed } from './chat-feed.js';
import { CHAT_LANE_LIMITS, type ChatSource, type ChatTarget } from './chat-source.port.js';
import { registerChatSources, type ChatServers } from './registry.js';
import { ChatSupervisor } from './supervisor.js';

export const STREAM_ID = '4be0643f-1d98-473b-97cd-ca98a65347dd';

/** Nothing listens there. */
export const NOWHERE: ChatServers = {
  twitchIrc: 'ws://127.0.0.1:1/',
  twitchEventSub: 'ws://127.0.0.1:1/',
  twitchApi: 'http://127.0.0.1:1/',
  kickSocket: 'ws://127.0.0.1:1/',
  kickSite: 'http://127.0.0.1:1/',
  chaturbateEvents: 'http://127.0.0.1:1/',
  youtubeApi: 'http://127.0.0.1:1/',
  youtubeStream: 'https://127.0.0.1:1/',
  youtubeSite: 'http://127.0.0.1:1/',
};

export const NO_EVENTSUB = { socketUrl: NOWHERE.twitchEventSub, apiUrl: NOWHERE.twitchApi };

/** A source, and a server on loopback that speaks its protocol. */
export interface ChatStage {
  stand: ChatStand;
  source: ChatSource;
  target: ChatTarget;
  /** The same with a credential that the server refuses; null when the protocol has none. */
  refused: ChatTarget | null;
}

function sourceAt(id: string, servers: Partial<ChatServers>): ChatSource {
  const pace = { youtubePollMs: 50, youtubeSitePollMs: 50, youtubePulse: { everyMs: 100, deadMs: 400 } };
  const sources = registerChatSources({ ...NOWHERE, ...servers }, pace, UNTRUSTED_CERTIFICATE.cert);
  const found = sources.find(({ descriptor }) => descriptor.id === id);
  if (found === undefined) throw new Error(`There is no chat source ${id}.`);
  return found;
}

/** One per way of each source of the registry: `source` or `source:way`. */
export const STAGES: Readonly<Record<string, () => Promise<ChatStage>>> = {
  twitch: async () => {
    const stand = await ChatIrcServer.start();
    const target = { streamId: STREAM_ID, channel: 'room', options: {} };
    const refused = { ...target, options: { login: 'somebody', token: 'wrong' } };
    return { stand, source: sourceAt('twitch', { twitchIrc: stand.url }), target, refused };
  },
  'twitch:eventsub': async () => {
    const stand = await ChatEventSubServer.start();
    const { clientId, userId, token: accessToken } = ChatEventSubServer;
    const target = { streamId: STREAM_ID, channel: 'room', options: { clientId, accessToken, userId } };
    const refused = { ...target, options: { clientId, accessToken: 'wrong', userId } };
    return {
      stand,
      source: sourceAt('twitch', { twitchEventSub: stand.url, twitchApi: stand.apiUrl }),
      target,
      refused,
    };
  },
  kick: async () => {
    const stand = await ChatPusherServer.start();
    const target = { streamId: STREAM_ID, channel: 'room', options: { chatroomId: 42 } };
    return { stand, source: sourceAt('kick', { kickSocket: stand.url }), target, refused: null };
  },
  chaturbate: async () => {
    const stand = await ChatEventsServer.start();
    const target = { streamId: STREAM_ID, channel: 'room', options: { token: ChatEventsServer.token } };
    const refused = { ...target, options: { token: 'wrong' } };
    return { stand, source: sourceAt('chaturbate', { chaturbateEvents: stand.url }), target, refused };
  },
  youtube: async () => {
    const stand = await ChatYoutubeServer.start();
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: { apiKey: ChatYoutubeServer.key } };
    const refused = { ...target, options: { apiKey: 'wrong' } };
    return { stand, source: sourceAt('youtube', { youtubeApi: stand.url }), target, refused };
  },
  'youtube:stream': async () => {
    const stand = await ChatYoutubeStreamServer.start();
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: { apiKey: ChatYoutubeServer.key } };
    const refused = { ...target, options: { apiKey: 'wrong' } };
    const servers = { youtubeApi: stand.api.url, youtubeStream: stand.url };
    return { stand, source: sourceAt('youtube', servers), target, refused };
  },
  'youtube:site': async () => {
    const stand = await ChatInnertubeServer.start();
    const target = { streamId: STREAM_ID, channel: 'abcdefghijk', options: {} };
    return { stand, source: sourceAt('youtube', { youtubeSite: stand.url }), target, refused: null };
  },
};

/** A feed over a real lane, read by a reader that keeps everything. */
export class ReadFeed {
  readonly messages: ChatMessage[] = [];
  readonly statuses: ChatStatus[] = [];

  private constructor(
    readonly feed: ChatFeed,
    readonly supervisor: ChatSupervisor,
    readonly lane: EgressLane,
    private readonly proxy: EgressProxy,
  ) {}

  static async open(
    stage: Pick<ChatStage, 'source' | 'target'> & { stand: Pick<ChatStand, 'hosts'> },
    options: { clock?: Clock; random?: () => number; queueLimit?: number; silentAfterMs?: number; read?: boolean } = {},
  ): Promise<ReadFeed> {
    const proxy = await EgressProxy.start({
      allow: stage.stand.hosts,
      limits: { bytesPerSecond: 1e9, byteBurst: 1e9 },
    });
    const lane = await proxy.open('chat', CHAT_LANE_LIMITS);
    const { clock = systemClock, random = (): number => 0, queueLimit, silentAfterMs, read = true } = options;
    const supervisor = new ChatSupervisor({
      ...{ sources: [stage.source], clock, random, logger: pino({ level: 'silent' }) },
      ...(silentAfterMs === undefined ? {} : { silentAfterMs }),
    });
    const statuses: ChatStatus[] = [];
    const feed = supervisor.follow(stage.source.descriptor.id, stage.target, lane, {
      onStatus: (status) => statuses.push(status),
      ...(queueLimit === undefined ? {} : { queueLimit }),
    });
    const opened = new ReadFeed(feed, supervisor, lane, proxy);
    opened.statuses.push(...statuses);
    statuses.push = (...more) => opened.statuses.push(...more);
    if (read) void opened.read();
    return opened;
  }

  get state(): string {
    return this.feed.status().state;
  }

  has(text: string): boolean {
    return this.messages.some((message) => message.text === text);
  }

  async read(): Promise<void> {
    for await (const message of this.feed) this.messages.push(message);
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
    await this.proxy.stop();
  }
}
