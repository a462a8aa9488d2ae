import { attributesOf } from './media-playlist.js';

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
