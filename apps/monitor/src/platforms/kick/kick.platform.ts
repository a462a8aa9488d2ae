import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { expiryOf } from '../expiry.js';
import { withRendition } from '../master-playlist.js';
import { pageAddress } from '../page-address.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { ask, assertAnswered, notAddress, parseAnswer } from '../site-answer.js';

/** Where Kick is. */
export interface KickOptions {
  /** `https://kick.com/` */
  siteUrl: string;
}

const SITE = 'Kick';

const Channel = z.object({
  playback_url: z
    .url({ protocol: /^https?$/ })
    .max(8_192)
    .nullish(),
  livestream: z.looseObject({ is_live: z.boolean().optional() }).nullable(),
});

/** Resolves channels of Kick by the site's own channel record. */
export class KickPlatform implements Platform {
  readonly descriptor: AdapterDescriptor = { id: 'kick', title: SITE, options: {} };
  readonly domains = ['kick.com'];

  constructor(private readonly options: KickOptions) {}

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const slug = slugOf(text);
    const url = new URL(`api/v2/channels/${slug}`, this.options.siteUrl).href;
    const response = await ask({ url, site: SITE, headers: { accept: 'application/json' } }, lane, signal);
    if (response.status === 403) {
      throw PlatformError.of(
        'challenge',
        'Kick wants proof of a browser. Enter the HLS address of the stream with the platform "url", or install ' +
          'streamlink or yt-dlp and choose it as the platform.',
      );
    }
    assertAnswered(response, SITE);
    const { livestream, playback_url: playbackUrl } = parseAnswer(response, Channel, SITE);
    if (livestream === null || livestream.is_live === false || playbackUrl === null || playbackUrl === undefined) {
      throw PlatformError.of('offline', `${slug} is not live on Kick.`);
    }
    const expiresAt = expiryOf(playbackUrl);
    const master: Playback = { url: playbackUrl, headers: {}, pace: 'live', container: 'hls', expiresAt };
    return withRendition(master, SITE, lane, signal);
  }
}

function slugOf(text: string): string {
  const url = pageAddress(text);
  const named = url !== null && /(^|[.])kick[.]com$/.test(url.hostname) ? (url.pathname.split('/')[1] ?? '') : text;
  if (!/^[a-z0-9_][a-z0-9_-]{0,49}$/i.test(named)) throw notAddress(SITE, 'https://kick.com/channel');
  return named.toLowerCase();
}
