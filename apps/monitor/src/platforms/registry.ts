import { KickPlatform } from './kick/kick.platform.js';
import { ownerOf } from './page-address.js';
import type { Platform } from './platform.port.js';
import { StreamlinkPlatform } from './streamlink/streamlink.platform.js';
import { TwitchPlatform } from './twitch/twitch.platform.js';
import { UrlPlatform } from './url/url.platform.js';
import { YoutubePlatform } from './youtube/youtube.platform.js';
import { YtDlpPlatform } from './yt-dlp/yt-dlp.platform.js';

/** The servers of every site; tests name their own. */
export interface PlatformServers {
  twitchGql: string;
  twitchUsher: string;
  kickSite: string;
  youtubeSite: string;
}

/** Where the sites are. */
export const PUBLIC_PLATFORM_SERVERS: PlatformServers = {
  twitchGql: 'https://gql.twitch.tv/',
  twitchUsher: 'https://usher.ttvnw.net/',
  kickSite: 'https://kick.com/',
  youtubeSite: 'https://www.youtube.com/',
};

/** What the adapters need to know of the configuration. */
export interface PlatformOptions {
  /** Whether `file:` urls may be watched. */
  allowFiles: boolean;
  servers?: PlatformServers;
  /** Paths or names of the external resolvers; their usual names when unset. */
  programs?: { streamlink: string; ytDlp: string };
}

/** Every platform there is: one line each. */
export function registerPlatforms(options: PlatformOptions): readonly Platform[] {
  const { servers = PUBLIC_PLATFORM_SERVERS, programs = { streamlink: 'streamlink', ytDlp: 'yt-dlp' } } = options;
  const { twitchGql: gqlUrl, twitchUsher: usherUrl } = servers;
  const sites: readonly Platform[] = [
    new TwitchPlatform({ gqlUrl, usherUrl, now: Date.now, random: Math.random }),
    new KickPlatform({ siteUrl: servers.kickSite }),
    new YoutubePlatform({ siteUrl: servers.youtubeSite }),
  ];
  return [
    new UrlPlatform(options.allowFiles, (address) => ownerOf(address, sites)),
    ...sites,
    new StreamlinkPlatform(programs.streamlink),
    new YtDlpPlatform(programs.ytDlp),
  ];
}

/** The id of the platform that the page at an address belongs to; null when it is none's: then it is `url`, if any. */
export function platformOf(address: string, platforms: readonly Platform[]): string | null {
  return ownerOf(address, platforms);
}
