import type { Platform } from './platform.port.js';

/** Longest address that is looked at. */
const MAX_LENGTH = 2_048;

/** An http or https address that an operator entered, `https://` taken as said; null when it is none. */
export function pageAddress(text: string): URL | null {
  if (text.length > MAX_LENGTH || /[\0-\x20\x7f]/.test(text)) return null;
  const whole = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(whole)) return null;
  const url = new URL(whole);
  return url.username === '' && url.password === '' ? url : null;
}

/** Whether a host is a domain or lies in it. */
export function isIn(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** Whether an address names a playlist itself and not a page. */
function isPlaylist(url: URL): boolean {
  return /\.(m3u8|mpd)$/i.test(url.pathname);
}

/**
 * The platform that the page at an address belongs to; null when to none of them, or when the address names a
 * playlist itself.
 */
export function ownerOf(text: string, platforms: readonly Pick<Platform, 'descriptor' | 'domains'>[]): string | null {
  const url = pageAddress(text);
  if (url === null || isPlaylist(url)) return null;
  const owner = platforms.find(({ domains = [] }) => domains.some((domain) => isIn(url.hostname, domain)));
  return owner?.descriptor.id ?? null;
}
