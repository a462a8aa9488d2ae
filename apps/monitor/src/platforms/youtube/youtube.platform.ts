import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { FetchedResponse } from '../../egress/egress-fetch.js';
import { expiryOf } from '../expiry.js';
import { withRendition } from '../master-playlist.js';
import { pageAddress } from '../page-address.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { ask, assertAnswered, changed, notAddress, parseAnswer } from '../site-answer.js';
import { statusOf } from './playability.js';

/** Where YouTube is. */
export interface YoutubeOptions {
  /** `https://www.youtube.com/` */
  siteUrl: string;
}

const SITE = 'YouTube';
const MAX_PAGE_BYTES = 4 * 2 ** 20;
const VIDEO_ID = /^[\w-]{11}$/;
/** The Android app, whose answers carry the HLS address. */
const CLIENT = {
  ...{ clientName: 'ANDROID', clientVersion: '21.03.36', androidSdkVersion: 36, osName: 'Android', osVersion: '16' },
  // Reasons are read, so they must come in a language that is known.
  ...{ hl: 'en', gl: 'US' },
};
const USER_AGENT = 'com.google.android.youtube/21.03.36 (Linux; U; Android 16; en_US) gzip';
/** The choice of a visitor who declines everything that may be declined. */
const CONSENT_COOKIE = 'SOCS=CAI';

const Player = z.object({
  playabilityStatus: z.object({
    status: z.string(),
    reason: z.string().optional(),
    messages: z.array(z.string()).optional(),
  }),
  streamingData: z
    .object({
      hlsManifestUrl: z
        .url({ protocol: /^https?$/ })
        .max(8_192)
        .optional(),
    })
    .optional(),
  videoDetails: z.object({ isLive: z.boolean().optional() }).optional(),
});

/** Resolves live videos and channels of YouTube. */
export class YoutubePlatform implements Platform {
  readonly descriptor: AdapterDescriptor = { id: 'youtube', title: SITE, options: {} };
  readonly domains = ['youtube.com', 'youtu.be'];

  constructor(private readonly options: YoutubeOptions) {}

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const { videoId, path } = targetOf(text);
    const id = videoId ?? (await this.liveVideoOf(path, lane, signal));
    const url = new URL('youtubei/v1/player', this.options.siteUrl).href;
    const json = { context: { client: CLIENT }, videoId: id, contentCheckOk: true, racyCheckOk: true };
    const question = { url, site: SITE, json, headers: { 'user-agent': USER_AGENT }, maxBytes: MAX_PAGE_BYTES };
    const response = await ask(question, lane, signal);
    assertAnswered(response, SITE);
    const { playabilityStatus, streamingData, videoDetails } = parseAnswer(response, Player, SITE);
    if (playabilityStatus.status !== 'OK') {
      const said = [playabilityStatus.reason, ...(playabilityStatus.messages ?? [])].join(' ').trim().slice(0, 200);
      throw PlatformError.of(statusOf(playabilityStatus.status, said), `YouTube says: ${said || 'no reason'}`);
    }
    const manifest = streamingData?.hlsManifestUrl;
    if (manifest === undefined) {
      if (videoDetails?.isLive !== true) throw PlatformError.of('offline', 'That video is not live on YouTube now.');
      throw changed(SITE, 'no HLS address');
    }
    const expiresAt = expiryOf(manifest);
    const master: Playback = { url: manifest, headers: {}, pace: 'live', container: 'hls', expiresAt };
    return withRendition(master, SITE, lane, signal);
  }

  /** The video that a channel's page leads to while it is live. */
  private async liveVideoOf(path: string, lane: WayOut, signal: AbortSignal): Promise<string> {
    const url = new URL(path, this.options.siteUrl).href;
    const question = { url, site: SITE, maxBytes: MAX_PAGE_BYTES, headers: { 'accept-language': 'en' } };
    let page = await ask(question, lane, signal);
    if (wantsConsent(page)) {
      const headers = { ...question.headers, cookie: CONSENT_COOKIE };
      page = await ask({ ...question, headers }, lane, signal);
      if (wantsConsent(page)) throw PlatformError.of('challenge', 'YouTube insists on consent; enter a video address.');
    }
    assertAnswered(page, SITE);
    const text = page.body.toString('utf8');
    const id =
      /<link rel="canonical" href="[^"]{0,100}\/watch\?v=([\w-]{11})"/.exec(text)?.[1] ??
      /"videoDetails":\{"videoId":"([\w-]{11})"/.exec(text)?.[1];
    if (id !== undefined) return id;
    if (/<html[\s>]/i.test(text)) throw PlatformError.of('offline', 'The channel is not live on YouTube.');
    throw changed(SITE, 'something that is no page');
  }
}

/** Where a visitor who has not chosen yet is led first. */
function wantsConsent({ url }: FetchedResponse): boolean {
  return new URL(url).hostname.startsWith('consent.');
}

function targetOf(text: string): { videoId: string | null; path: string } {
  if (VIDEO_ID.test(text) && /[\d_-]|[A-Z]/.test(text)) return { videoId: text, path: '' };
  const url = /^@[\w.-]{3,30}$/.test(text) ? new URL(`https://youtube.com/${text}`) : pageAddress(text);
  if (url === null || !/(^|[.])(youtube[.]com|youtu[.]be)$/.test(url.hostname)) throw unknownAddress();
  const [first = '', second = ''] = url.pathname.split('/').slice(1);
  const inPath = url.hostname.endsWith('youtu.be')
    ? first
    : ['live', 'embed', 'shorts', 'v'].includes(first)
      ? second
      : '';
  const videoId = url.searchParams.get('v') ?? inPath;
  if (VIDEO_ID.test(videoId)) return { videoId, path: '' };
  const named = /^@[\w.%-]{3,100}$/.test(first)
    ? [first]
    : ['channel', 'c', 'user'].includes(first)
      ? [first, second]
      : [];
  if (named.length === 0 || named.some((part) => !/^[@\w.%-]{1,100}$/.test(part))) throw unknownAddress();
  return { videoId: null, path: `${named.join('/')}/live` };
}

function unknownAddress(): PlatformError {
  return notAddress(SITE, 'https://www.youtube.com/watch?v=… or https://www.youtube.com/@channel');
}
