import { attributesOf } from '../master-playlist.js';

/** One segment of a media playlist. */
export interface Segment {
  /** Media sequence number. */
  sequence: number;
  /** Absolute. */
  uri: string;
  durationMs: number;
  title: string;
  /** Wall clock at its start, epoch ms; null when the playlist tells no dates. */
  date: number | null;
  discontinuity: boolean;
  /** `EXT-X-BYTERANGE`, `EXT-X-KEY` and `EXT-X-MAP` that hold for it, whole lines with absolute addresses; or ''. */
  byteRange: string;
  key: string;
  map: string;
}

/** One `EXT-X-DATERANGE`. */
export interface DateRange {
  id: string;
  class: string;
  startAt: number;
  endAt: number;
}

/** A media playlist (RFC 8216, 4.3), as far as it is needed to cut pieces out of it. */
export interface MediaPlaylist {
  targetDurationS: number;
  segments: readonly Segment[];
  ranges: readonly DateRange[];
  ended: boolean;
}

/** Length of a range that does not tell its own, ms. */
const DEFAULT_RANGE_MS = 30_000;
const MOST_SEGMENTS = 5_000;
const MOST_RANGES = 200;

/** Reads a media playlist; null when it is none. @param base its address */
export function parseMediaPlaylist(text: string, base: string): MediaPlaylist | null {
  const lines = text.split('\n', 100_000).map((line) => line.trim());
  if (lines[0] !== '#EXTM3U') return null;
  const segments: Segment[] = [];
  const ranges: DateRange[] = [];
  const sticky = { key: '', map: '' };
  let next = { durationMs: 0, title: '', discontinuity: false, byteRange: '' };
  let [targetDurationS, sequence, ended] = [0, 0, false];
  let date: number | null = null;
  for (const line of lines) {
    if (segments.length >= MOST_SEGMENTS) break;
    const [, tag = '', value = ''] = /^#(EXT[A-Z0-9-]{0,40}):?(.*)$/.exec(line) ?? [];
    if (tag === 'EXT-X-TARGETDURATION') targetDurationS = number(value);
    else if (tag === 'EXT-X-MEDIA-SEQUENCE') sequence = number(value);
    else if (tag === 'EXT-X-ENDLIST') ended = true;
    else if (tag === 'EXT-X-DISCONTINUITY') next.discontinuity = true;
    else if (tag === 'EXT-X-BYTERANGE') next.byteRange = line;
    else if (tag === 'EXT-X-KEY') sticky.key = withAbsoluteUri(line, base);
    else if (tag === 'EXT-X-MAP') sticky.map = withAbsoluteUri(line, base);
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') date = instant(value);
    else if (tag === 'EXT-X-DATERANGE') ranges.push(...rangeOf(value));
    else if (tag === 'EXTINF') {
      const comma = value.indexOf(',');
      next.durationMs = 1_000 * number(comma < 0 ? value : value.slice(0, comma));
      next.title = comma < 0 ? '' : value.slice(comma + 1);
    } else if (line !== '' && !line.startsWith('#') && URL.canParse(line, base)) {
      segments.push({ ...next, ...sticky, date, sequence, uri: new URL(line, base).href });
      if (date !== null) date += next.durationMs;
      sequence += 1;
      next = { durationMs: 0, title: '', discontinuity: false, byteRange: '' };
    }
  }
  return { targetDurationS, segments, ranges: ranges.slice(-MOST_RANGES), ended };
}

function rangeOf(value: string): DateRange[] {
  const attributes = attributesOf(value);
  const startAt = instant(attributes.get('START-DATE') ?? '');
  if (startAt === null) return [];
  const end = instant(attributes.get('END-DATE') ?? '');
  const seconds = attributes.get('DURATION') ?? attributes.get('PLANNED-DURATION');
  const lasts = seconds === undefined ? DEFAULT_RANGE_MS : number(seconds) * 1_000;
  const names = { id: attributes.get('ID') ?? '', class: attributes.get('CLASS') ?? '' };
  return [{ ...names, startAt, endAt: end ?? startAt + lasts }];
}

function withAbsoluteUri(line: string, base: string): string {
  return line.replace(/URI="([^"]*)"/, (whole, uri: string) =>
    URL.canParse(uri, base) ? `URI="${new URL(uri, base).href}"` : whole,
  );
}

function number(text: string): number {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
}

function instant(text: string): number | null {
  const at = Date.parse(text.slice(0, 40));
  return Number.isNaN(at) ? null : at;
}
