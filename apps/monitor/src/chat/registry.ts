import type { ChatSource } from './chat-source.port.js';
import { ChaturbateChat } from './chaturbate/chaturbate.chat.js';
import { KickChat } from './kick/kick.chat.js';
import { TwitchChat } from './twitch/twitch.chat.js';
import { YoutubeChat } from './youtube/youtube.chat.js';

/** The servers of every platform; tests name their own. */
export interface ChatServers {
  twitchIrc: string;
  /** Kick's Pusher application, key included; the key has changed before. */
  kickSocket: string;
  kickSite: string;
  chaturbateEvents: string;
  youtubeApi: string;
}

/** Least time between two polls of one YouTube chat, ms. */
const YOUTUBE_POLL_MS = 5_000;

/** Where the platforms are. */
export const PUBLIC_CHAT_SERVERS: ChatServers = {
  twitchIrc: 'wss://irc-ws.chat.twitch.tv:443',
  kickSocket: 'wss://ws-us2.pusher.com/app/32cbd69e4b950bf97679?protocol=7&client=js&version=8.4.0&flash=false',
  kickSite: 'https://kick.com/',
  chaturbateEvents: 'https://eventsapi.chaturbate.com/',
  youtubeApi: 'https://www.googleapis.com/',
};

/** Every chat source there is: one line each. */
export function registerChatSources(
  servers: ChatServers = PUBLIC_CHAT_SERVERS,
  youtubePollMs = YOUTUBE_POLL_MS,
): readonly ChatSource[] {
  return [
    new TwitchChat({ url: servers.twitchIrc }),
    new KickChat({ socketUrl: servers.kickSocket, siteUrl: servers.kickSite }),
    new ChaturbateChat({ eventsUrl: servers.chaturbateEvents }),
    new YoutubeChat({ apiUrl: servers.youtubeApi, leastPollMs: youtubePollMs }),
  ];
}
