import { HlsOrigin, masterPlaylist } from './hls-origin.js';

/** How the stand-in is to answer. */
export type KickMood = 'live' | 'offline' | 'unknown' | 'cloudflare';

/**
 * A stand-in on loopback for the channel record of Kick's site. It speaks what the site was seen to answer; it is not
 * Kick, and no proof of Kick.
 */
export class KickStandIn {
  mood: KickMood = 'live';
  playbackUrl: string;

  private constructor(readonly origin: HlsOrigin) {
    this.playbackUrl = origin.text('/master.m3u8', masterPlaylist([1440, 720, 360]));
  }

  static async start(): Promise<KickStandIn> {
    const stand = new KickStandIn(await HlsOrigin.start());
    stand.origin.on('/api/v2/channels/*', (_request, response) => {
      if (stand.mood === 'cloudflare') {
        response.writeHead(403, { 'content-type': 'text/html' }).end('<html><title>Just a moment...</title></html>');
      } else if (stand.mood === 'unknown') {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not found"}');
      } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(stand.channel()));
    });
    return stand;
  }

  get url(): string {
    return this.origin.url('/');
  }

  stop(): Promise<void> {
    return this.origin.stop();
  }

  private channel(): unknown {
    return {
      ...{ id: 1, slug: 'somebody', playback_url: this.playbackUrl, chatroom: { id: 2 } },
      livestream: this.mood === 'live' ? { id: 3, is_live: true, session_title: 'Hello', viewer_count: 5 } : null,
    };
  }
}
