import type { Playback, WayOut } from './platform.port.js';
import { ask, assertAnswered, changed } from './site-answer.js';

/** One rendition of a stream. */
export interface Variant {
  /** Absolute. */
  url: string;
  bandwidth: number;
  /** Lines of the picture; null when there is none. */
  height: number | null;
}

/** Pictures of more lines bring the detectors nothing. */
const MOST_LINES = 1080;

/** The variants of a master playlist (RFC 8216, 4.3.4.2), at most a hundred. */
export function variantsOf(text: string, base: string): Variant[] {
  const lines = text.split('\n', 10_000).map((line) => line.trim());
  return lines
    .slice(0, -1)
    .flatMap((line, index) => {
      if (!line.startsWith('#EXT-X-STREAM-INF:')) return [];
      const uri = lines.slice(index + 1, index + 6).find((next) => next !== '' && !next.startsWith('#'));
      if (uri === undefined || !URL.canParse(uri, base)) return [];
      const attributes = attributesOf(line);
      const lineCount = /^\d{1,5}x(\d{1,5})$/.exec(attributes.get('RESOLUTION') ?? '')?.[1];
      const height = lineCount === undefined ? null : Number(lineCount);
      return [{ url: new URL(uri, base).href, bandwidth: Number(attributes.get('BANDWIDTH') ?? 0) || 0, height }];
    })
    .slice(0, 100);
}

/** The best that is not more than is needed; of those that are all more, the smallest. Undefined when none is there. */
export function variantToWatch(variants: readonly Variant[]): Variant | undefined {
  const pictures = variants.filter(({ height }) => height !== null);
  const byRate = (pictures.length > 0 ? [...pictures] : [...variants]).sort((a, b) => b.bandwidth - a.bandwidth);
  return byRate.find(({ height }) => (height ?? 0) <= MOST_LINES) ?? byRate.at(-1);
}

/**
 * The same playback with the rendition that is worth watching in place of the master playlist: ffmpeg takes the first
 * one, which on some sites is the smallest. A master whose sound is a rendition of its own stays as it is, for its
 * picture alone would be silent; so does what is no master.
 * @throws PlatformError when the playlist cannot be had
 */
export async function withRendition(
  playback: Playback,
  site: string,
  lane: WayOut,
  signal: AbortSignal,
): Promise<Playback> {
  const { url, headers } = playback;
  const response = await ask({ url, site, headers }, lane, signal);
  assertAnswered(response, site);
  const text = response.body.toString('utf8');
  if (!text.startsWith('#EXTM3U')) throw changed(site, 'no playlist');
  if (/^#EXT-X-MEDIA:(?=[^\n]{0,1000}TYPE=AUDIO)[^\n]{0,4000}URI=/m.test(text)) return playback;
  return { ...playback, url: variantToWatch(variantsOf(text, response.url))?.url ?? url };
}

/** The attributes of a tag (RFC 8216, 4.2), quotes taken off. */
export function attributesOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.matchAll(/([A-Z0-9-]{1,64})=("[^"]*"|[^",]*)/g);
  return new Map([...pairs].map(([, name = '', value = '']) => [name, value.replaceAll('"', '')]));
}
