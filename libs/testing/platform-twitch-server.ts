import type { IncomingMessage } from 'node:http';
import { HlsOrigin, type PreparedSegment } from './hls-origin.js';

/** One second of a broadcast: the stream's own, or an advert that is stitched in. */
export interface Aired {
  segment: PreparedSegment;
  advert?: boolean;
}

/** How the stand-in is to answer. */
export type TwitchMood =
  'live' | 'offline' | 'integrity' | 'fault' | 'not_transcoded' | 'geo_blocked' | 'subscribers' | 'private';

const WINDOW = 4;
const JSON_TYPE = { 'content-type': 'application/json' };
const PLAYLIST_TYPE = { 'content-type': 'application/vnd.apple.mpegurl' };

/**
 * A stand-in on loopback for the two servers of Twitch that a player asks, GQL and usher, and for one that sends the
 * media. It speaks what the site's own player was seen to be answered; it is not Twitch, and no proof of Twitch.
 */
export class TwitchStandIn {
  mood: TwitchMood = 'live';
  /** `expires` of the token, seconds since the epoch. */
  expires = 1_900_000_000;
  /** Bodies of GQL requests, and the queries of usher requests. */
  readonly asked: { gql: unknown[]; clientIds: unknown[]; usher: URLSearchParams[] } = {
    gql: [],
    clientIds: [],
    usher: [],
  };
  private revealed = WINDOW;
  private aired: readonly Aired[] = [];

  private constructor(readonly origin: HlsOrigin) {}

  static async start(): Promise<TwitchStandIn> {
    const stand = new TwitchStandIn(await HlsOrigin.start());
    const { origin } = stand;
    origin.on('/gql', (request, response) => {
      void bodyOf(request).then((body) => {
        stand.asked.gql.push(JSON.parse(body));
        stand.asked.clientIds.push(request.headers['client-id']);
        const [status, answer] = stand.token();
        response.writeHead(status, JSON_TYPE).end(JSON.stringify(answer));
      });
    });
    origin.on('/api/v2/channel/hls/*', (request, response) => {
      stand.asked.usher.push(new URL(request.url ?? '/', 'http://x').searchParams);
      const [status, body] = stand.usher();
      response.writeHead(status, status === 200 ? PLAYLIST_TYPE : JSON_TYPE).end(body);
    });
    origin.on('/720p.m3u8', (_request, response) => response.writeHead(200, PLAYLIST_TYPE).end(stand.media()));
    return stand;
  }

  get url(): string {
    return this.origin.url('/');
  }

  /** Sends these, one more with each time that the playlist is asked for; after the last, the stream has ended. */
  air(aired: readonly Aired[]): void {
    this.aired = aired;
    this.revealed = WINDOW;
    aired.forEach(({ segment }, index) => this.origin.bytes(`/segment/${index}.ts`, segment.body));
  }

  stop(): Promise<void> {
    return this.origin.stop();
  }

  private token(): [number, unknown] {
    if (this.mood === 'integrity') return [200, { errors: [{ message: 'failed integrity check' }], data: {} }];
    if (this.mood === 'fault') return [200, { errors: [{ message: 'service error' }] }];
    if (this.mood === 'offline') return [200, { data: { streamPlaybackAccessToken: null } }];
    const value = JSON.stringify({
      ...{ channel: 'somebody', expires: this.expires, geoblock_reason: '' },
      private: { allowed_to_view: this.mood !== 'private' },
    });
    return [200, { data: { streamPlaybackAccessToken: { value, signature: 'a1b2' } } }];
  }

  private usher(): [number, string] {
    const error = (text: string): string => JSON.stringify([{ type: 'error', error: text }]);
    if (this.mood === 'not_transcoded') return [404, error('transcode does not exist')];
    if (this.mood === 'geo_blocked') return [403, error('content_geoblocked')];
    if (this.mood === 'subscribers') return [403, error('unauthorized_entitlements')];
    const variant = (lines: number, rate: number, path: string): string =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${rate},RESOLUTION=${Math.round((lines * 16) / 9)}x${lines},CODECS="avc1.4D401F,mp4a.40.2"\n${path}`;
    const audio = '#EXT-X-STREAM-INF:BANDWIDTH=160000,CODECS="mp4a.40.2",VIDEO="audio_only"\n/audio.m3u8';
    return [
      200,
      ['#EXTM3U', variant(1440, 9_000_000, '/1440p.m3u8'), variant(720, 3_000_000, '/720p.m3u8'), audio, ''].join('\n'),
    ];
  }

  private media(): string {
    const end = Math.min(this.revealed, this.aired.length);
    const ended = this.revealed > this.aired.length;
    this.revealed += 1;
    const first = Math.max(0, end - WINDOW);
    const start = Date.UTC(2026, 0, 1);
    const dateOf = (index: number): string => new Date(start + index * 1_000).toISOString();
    const lines = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:1', `#EXT-X-MEDIA-SEQUENCE:${first}`];
    this.aired.forEach(({ advert }, index) => {
      if (advert !== true || this.aired[index - 1]?.advert === true || index >= end) return;
      const rest = this.aired.slice(index).findIndex((it) => it.advert !== true);
      const seconds = rest < 0 ? this.aired.length - index : rest;
      lines.push(
        `#EXT-X-DATERANGE:ID="stitched-ad-${index}",CLASS="twitch-stitched-ad",START-DATE="${dateOf(index)}",DURATION=${seconds}.000,X-TV-TWITCH-AD-ROLL-TYPE="MIDROLL"`,
      );
    });
    this.aired.slice(first, end).forEach(({ advert }, offset) => {
      const index = first + offset;
      const before = this.aired[index - 1]?.advert === true;
      if (index > 0 && before !== (advert === true)) lines.push('#EXT-X-DISCONTINUITY');
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${dateOf(index)}`, '#EXTINF:1.000,live', `/segment/${index}.ts`);
    });
    lines.push(ended ? '#EXT-X-ENDLIST' : '#EXT-X-TWITCH-PREFETCH:/segment/next.ts', '');
    return lines.join('\n');
  }
}

/** The whole body of a request, at most a megabyte. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request as AsyncIterable<Buffer>) {
    if (text.length < 2 ** 20) text += piece.toString('utf8');
  }
  return text;
}
