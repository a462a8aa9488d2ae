import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { FetchedResponse } from '../../egress/egress-fetch.js';
import { variantsOf, variantToWatch } from '../master-playlist.js';
import { pageAddress } from '../page-address.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { ask, assertAnswered, changed, notAddress, parseAnswer } from '../site-answer.js';
import { PlaylistFeed } from './playlist-feed.js';

/** Where Twitch is, and what varies. */
export interface TwitchOptions {
  /** `https://gql.twitch.tv/` */
  gqlUrl: string;
  /** `https://usher.ttvnw.net/` */
  usherUrl: string;
  now: () => number;
  random: () => number;
}

const SITE = 'Twitch';
/** The public id of the site's own player, and the query that it asks by its hash. */
const CLIENT_ID = 'kimne78kx3ncx6brgo4mv6wki5h1ko';
const QUERY_HASH = 'ed230aa1e33e07eebb8928504583da78a5173989fadfb1ac94be06a04f3cdbe9';
const PLAYER = 'https://player.twitch.tv';

const AccessToken = z.object({
  data: z
    .object({
      streamPlaybackAccessToken: z
        .object({ value: z.string().max(16_384), signature: z.string().max(1_024) })
        .nullable(),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
  error: z.string().optional(),
  message: z.string().optional(),
});

/** What the token says, where it says it. */
const Grant = z.object({
  expires: z.number().int().positive().optional(),
  geoblock_reason: z.string().optional(),
  private: z.object({ allowed_to_view: z.boolean() }).optional(),
  authorization: z.object({ forbidden: z.boolean(), reason: z.string().optional() }).optional(),
});

const UsherErrors = z.array(z.object({ error: z.string() })).min(1);

/** Resolves channels of Twitch, adverts cut out. */
export class TwitchPlatform implements Platform {
  readonly descriptor: AdapterDescriptor = { id: 'twitch', title: SITE, options: {} };
  readonly domains = ['twitch.tv'];

  constructor(private readonly options: TwitchOptions) {}

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const login = loginOf(text);
    const token = await this.token(login, lane, signal);
    const { url: base, body } = await this.masterPlaylist(login, token, lane, signal);
    const variant = variantToWatch(variantsOf(body.toString('utf8'), base));
    if (variant === undefined) throw changed(SITE, 'a playlist without variants');
    const headers = { referer: `${PLAYER}/`, origin: PLAYER };
    const feed = new PlaylistFeed({ url: variant.url, headers, lane, now: this.options.now });
    return {
      url: `${lane.serve(feed.answer)}${feed.path}`,
      ...{ headers, pace: 'live', container: 'hls', intermission: feed.intermission },
      expiresAt: token.expiresAt,
    };
  }

  private async token(login: string, lane: WayOut, signal: AbortSignal): Promise<Token> {
    const json = {
      operationName: 'PlaybackAccessToken',
      extensions: { persistedQuery: { version: 1, sha256Hash: QUERY_HASH } },
      variables: { isLive: true, login, isVod: false, vodID: '', playerType: 'embed', platform: 'site' },
    };
    const url = new URL('gql', this.options.gqlUrl).href;
    const response = await ask({ url, site: SITE, json, headers: { 'client-id': CLIENT_ID } }, lane, signal);
    assertNoIntegrity(response);
    assertAnswered(response, SITE);
    const answer = parseAnswer(response, AccessToken, SITE);
    const found = answer.data?.streamPlaybackAccessToken;
    if (found === null)
      throw PlatformError.of('offline', `${login} is not live on Twitch, or there is no such channel.`);
    if (found !== undefined) return grantOf(found);
    const said = [answer.message, answer.error, ...(answer.errors ?? []).map(({ message }) => message)]
      .join(' ')
      .trim();
    if (/service|timeout|internal|server error/i.test(said)) {
      throw new PlatformError('offline', 'unreachable', 'Twitch has a fault of its own at present.');
    }
    throw changed(SITE, said === '' ? 'no token' : `"${said.slice(0, 100)}"`);
  }

  private async masterPlaylist(
    login: string,
    { value, signature }: Token,
    lane: WayOut,
    signal: AbortSignal,
  ): Promise<FetchedResponse> {
    const url = new URL(`api/v2/channel/hls/${login}.m3u8`, this.options.usherUrl);
    const query = {
      ...{ platform: 'web', p: String(Math.floor(this.options.random() * 999_999)), allow_source: 'true' },
      ...{ allow_audio_only: 'true', playlist_include_framerate: 'true', supported_codecs: 'h264' },
      ...{ sig: signature, token: value, fast_bread: 'true' },
    };
    url.search = new URLSearchParams(query).toString();
    const headers = { referer: `${PLAYER}/`, origin: PLAYER };
    const response = await ask({ url: url.href, site: SITE, headers }, lane, signal);
    if (response.status === 200 && response.body.subarray(0, 7).toString() === '#EXTM3U') return response;
    throw usherFault(response, login);
  }
}

interface Token {
  value: string;
  signature: string;
  /** Epoch ms. */
  expiresAt: number | null;
}

function loginOf(text: string): string {
  const plain = /^@?([a-z0-9_]{2,25})$/i.exec(text)?.[1];
  const url = pageAddress(text);
  const channel = url?.hostname === 'player.twitch.tv' ? url.searchParams.get('channel') : url?.pathname.split('/')[1];
  const login = plain ?? (url !== null && /(^|[.])twitch[.]tv$/.test(url.hostname) ? (channel ?? '') : '');
  if (!/^[a-z0-9_]{2,25}$/i.test(login)) throw notAddress(SITE, 'https://www.twitch.tv/channel');
  return login.toLowerCase();
}

function assertNoIntegrity({ status, body }: FetchedResponse): void {
  if (!/integrity/i.test(body.toString('utf8', 0, 4_096)) || (status < 400 && !body.includes('error'))) return;
  throw PlatformError.of(
    'challenge',
    'Twitch wants proof of a browser (Client-Integrity), which an external resolver may have: use the platform ' +
      '"streamlink", or enter the HLS address of the stream.',
  );
}

/** @throws PlatformError when the token itself says that it opens nothing */
function grantOf({ value, signature }: { value: string; signature: string }): Token {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    throw changed(SITE, 'a token that cannot be read');
  }
  const { data: grant = {} } = Grant.safeParse(json);
  if ((grant.geoblock_reason ?? '') !== '') throw PlatformError.of('geo_blocked', 'Twitch does not show it here.');
  if (grant.private?.allowed_to_view === false) throw PlatformError.of('private', 'The channel is private.');
  if (grant.authorization?.forbidden === true) throw PlatformError.of('auth_required', 'Twitch wants a login for it.');
  return { value, signature, expiresAt: grant.expires === undefined ? null : grant.expires * 1_000 };
}

function usherFault(response: FetchedResponse, login: string): PlatformError {
  let said: string;
  try {
    said = parseAnswer(response, UsherErrors, SITE)
      .map(({ error }) => error)
      .join(' ')
      .slice(0, 200);
  } catch {
    assertAnswered(response, SITE);
    return changed(SITE, 'no playlist');
  }
  if (/geo|region|country/i.test(said)) return PlatformError.of('geo_blocked', `Twitch does not show ${login} here.`);
  if (/unauthori[sz]ed|entitlement|subscri|forbidden/i.test(said)) {
    return PlatformError.of('auth_required', `Twitch shows ${login} to subscribers or members only.`);
  }
  if (/exist|not find|not found|offline/i.test(said) || response.status === 404) {
    return PlatformError.of('offline', `${login} is not live on Twitch.`);
  }
  if (response.status >= 500 || response.status === 429) {
    return new PlatformError('offline', 'unreachable', `Twitch answered ${response.status}.`);
  }
  return changed(SITE, `"${said}"`);
}
