import type { ChatSource } from './chat-source.port.js';
import { TwitchChat } from './twitch/twitch.chat.js';

/** The servers of every platform; tests name their own. */
export interface ChatServers {
  twitchIrc: string;
}

/** Where the platforms are. */
export const PUBLIC_CHAT_SERVERS: ChatServers = {
  twitchIrc: 'wss://irc-ws.chat.twitch.tv:443',
};

/** Every chat source there is: one line each. */
export function registerChatSources(servers: ChatServers = PUBLIC_CHAT_SERVERS): readonly ChatSource[] {
  return [new TwitchChat({ url: servers.twitchIrc })];
}
