import { z } from 'zod';
import { pageAddress } from './page-address.js';
import { PlatformError, type AirStatus } from './platform.port.js';

/** An address that can be played through the lane. */
export const WebAddress = z.url({ protocol: /^https?$/ }).max(8_192);

/** Headers that matter to a player; the others belong to the connection or to the program that sent them. */
const PLAYER_HEADERS = new Set(['user-agent', 'referer', 'origin', 'cookie', 'authorization', 'accept-language']);

/** Headers that a resolver asks the player to send; others than those a player needs are left out. */
export const PlayerHeaders = z.record(z.string(), z.unknown()).transform((headers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter((pair): pair is readonly [string, string] => typeof pair[1] === 'string')
      .filter(([name, value]) => PLAYER_HEADERS.has(name) && /^[\x20-\x7e]{1,4096}$/.test(value)),
  ),
);

/** Words by which resolvers say why there is nothing to play; the first that is found decides. */
const COMPLAINTS: readonly (readonly [RegExp, AirStatus])[] = [
  [/not a bot|captcha|cloudflare|challenge|integrity|impersonat/i, 'challenge'],
  [/\bprivate\b/i, 'private'],
  [/\bgeo|\bcountry\b|\bregion\b|your location/i, 'geo_blocked'],
  [/log ?in|sign in|subscri|members|authenticat|cookies|password|\b401\b|age.?restrict/i, 'auth_required'],
  [/offline|not (currently |yet )?(live|online|started)|no playable streams|will begin|has ended|premiere/i, 'offline'],
  [/\b404\b|\b410\b|does not exist|not exist|not found|unavailable|removed|deleted/i, 'gone'],
];

/** Why a resolver found nothing, in its own words. @param program its name, for people */
export function complaintOf(said: string, program: string): PlatformError {
  // Addresses hold any words at all, and may hold secrets.
  const text = said.replace(/[a-z]+:\/\/\S+/gi, '').slice(0, 4_000);
  const sentence = `${program}: ${text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`;
  if (/unsupported url|no plugin can handle/i.test(text)) {
    return new PlatformError('changed', 'unsupported_scheme', `${program} does not know this site.`);
  }
  const status = COMPLAINTS.find(([words]) => words.test(text))?.[1];
  if (status !== undefined) return PlatformError.of(status, sentence);
  return new PlatformError('offline', 'unreachable', sentence);
}

/** A page that is handed to a resolver. @throws PlatformError when it is no http or https address */
export function pageFor(text: string, program: string): string {
  const url = /^https?:\/\//i.test(text) ? pageAddress(text) : null;
  if (url !== null) return url.href;
  const message = `${program} takes the http or https address of a page, without user name and password.`;
  throw new PlatformError('changed', 'unsupported_scheme', message);
}
