import { HlsOrigin, masterPlaylist } from './hls-origin.js';
import { bodyOf } from './platform-twitch-server.js';

/** What the player of the stand-in is told. */
export interface Playability {
  status: string;
  reason?: string;
}

/**
 * A stand-in on loopback for YouTube: a channel's page, the page that asks for consent, and the player's answer. It
 * speaks what the site was seen to answer; it is not YouTube, and no proof of YouTube.
 */
export class YoutubeStandIn {
  playability: Playability = { status: 'OK' };
  hlsManifestUrl: string | null;
  isLive = true;
  /** Video that the channel's page leads to; null while it is not live. */
  liveVideo: string | null = 'abcdefghij1';
  /** Whether a visitor must choose first; `insists` takes no choice for an answer. */
  consent: 'given' | 'asked' | 'insists' = 'given';
  /** Bodies of player requests. */
  readonly asked: unknown[] = [];

  private constructor(readonly origin: HlsOrigin) {
    const path = '/api/manifest/hls_variant/expire/1900000000/ei/x/index.m3u8';
    origin.text(path, masterPlaylist([144, 360, 720, 1440]));
    this.hlsManifestUrl = new URL(path, this.url).href;
  }

  static async start(): Promise<YoutubeStandIn> {
    const stand = new YoutubeStandIn(await HlsOrigin.start());
    stand.origin.on('/@somebody/live', ({ headers }, response) => {
      const chosen = headers.cookie?.includes('SOCS=') === true;
      if (stand.consent === 'insists' || (stand.consent === 'asked' && !chosen)) {
        const { port } = new URL(stand.origin.url('/'));
        response.writeHead(302, { location: `http://consent.youtube.test:${port}/m` }).end();
      } else response.writeHead(200, { 'content-type': 'text/html' }).end(stand.page());
    });
    stand.origin.text('/m', '<html><form action="/save"></form></html>', 'text/html');
    stand.origin.on('/youtubei/v1/player', (request, response) => {
      void bodyOf(request).then((body) => {
        stand.asked.push(JSON.parse(body));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(stand.player()));
      });
    });
    return stand;
  }

  /** Named so that the page for consent can have a host of its own; resolve `*.test` to 127.0.0.1. */
  get url(): string {
    return `http://youtube.test:${new URL(this.origin.url('/')).port}/`;
  }

  /** `host:port` pairs, as `EGRESS_ALLOW` wants them. */
  get hosts(): readonly string[] {
    const { port } = new URL(this.origin.url('/'));
    return [`youtube.test:${port}`, `consent.youtube.test:${port}`];
  }

  stop(): Promise<void> {
    return this.origin.stop();
  }

  private page(): string {
    const target = this.liveVideo === null ? 'channel/UCx' : `watch?v=${this.liveVideo}`;
    return `<!DOCTYPE html><html><head><link rel="canonical" href="https://www.youtube.com/${target}"></head></html>`;
  }

  private player(): unknown {
    return {
      playabilityStatus: this.playability,
      ...(this.hlsManifestUrl === null ? {} : { streamingData: { hlsManifestUrl: this.hlsManifestUrl } }),
      videoDetails: { videoId: this.liveVideo, isLive: this.isLive },
    };
  }
}
