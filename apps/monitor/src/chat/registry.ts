import type { ChatSource } from './chat-source.port.js';
import { ChaturbateChat } from './chaturbate/chaturbate.chat.js';
import { KickChat } from './kick/kick.chat.js';
import { TwitchChat } from './twitch/twitch.chat.js';
import { YoutubeChat } from './youtube/youtube.chat.js';

/** The servers of every platform; tests name their own. */
export interface ChatServers {
  twitchIrc: string;
  twitchEventSub: string;
  twitchApi: string;
  /** Kick's Pusher application, key included; the key has changed before. */
  kickSocket: string;
  kickSite: string;
  chaturbateEvents: string;
  youtubeApi: string;
  /** Where the Data API pushes, by gRPC. */
  youtubeStream: string;
  youtubeSite: string;
}

/** How patient we are, ms; tests are less so. */
export interface ChatPace {
  /** Least time between two calls that cost of a YouTube key's quota. */
  youtubePollMs: number;
  /** Least time between two polls of YouTube's site. */
  youtubeSitePollMs: number;
  /** A push of YouTube that says nothing is asked whether it lives so often, and may take so long to say it. */
  youtubePulse: { everyMs: number; deadMs: number };
}

const PACE: ChatPace = {
  ...{ youtubePollMs: 5_000, youtubeSitePollMs: 1_000 },
  youtubePulse: { everyMs: 60_000, deadMs: 20_000 },
};

/** Where the platforms are. */
export const PUBLIC_CHAT_SERVERS: ChatServers = {
  twitchIrc: 'wss://irc-ws.chat.twitch.tv:443',
  twitchEventSub: 'wss://eventsub.wss.twitch.tv/ws',
  twitchApi: 'https://api.twitch.tv/',
  kickSocket: 'wss://ws-us2.pusher.com/app/32cbd69e4b950bf97679?protocol=7&client=js&version=8.4.0&flash=false',
  kickSite: 'https://kick.com/',
  chaturbateEvents: 'https://eventsapi.chaturbate.com/',
  youtubeApi: 'https://www.googleapis.com/',
  youtubeStream: 'https://youtube.googleapis.com/',
  youtubeSite: 'https://www.youtube.com/',
};

/**
 * Every chat source there is: one line each.
 * @param ca further certificate authorities, PEM, for tests
 */
export function registerChatSources(
  servers: ChatServers = PUBLIC_CHAT_SERVERS,
  pace: ChatPace = PACE,
  ca?: string,
): readonly ChatSource[] {
  const stream = { url: servers.youtubeStream, pulse: pace.youtubePulse, ...(ca === undefined ? {} : { ca }) };
  const { youtubePollMs: leastPollMs, youtubeSitePollMs: leastSitePollMs } = pace;
  return [
    new TwitchChat({
      url: servers.twitchIrc,
      eventSub: { socketUrl: servers.twitchEventSub, apiUrl: servers.twitchApi },
    }),
    new KickChat({ socketUrl: servers.kickSocket, siteUrl: servers.kickSite }),
    new ChaturbateChat({ eventsUrl: servers.chaturbateEvents }),
    new YoutubeChat({
      ...{ apiUrl: servers.youtubeApi, stream, siteUrl: servers.youtubeSite },
      ...{ leastPollMs, leastSitePollMs },
    }),
  ];
}
