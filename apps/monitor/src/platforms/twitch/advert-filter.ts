import { parseMediaPlaylist, type DateRange, type Segment } from './media-playlist.js';

/** Segments that stay in the playlist; an advert break may leave none of the source's own there. */
const KEPT = 8;
const MOST_RANGES = 64;
/** No honest break is longer, ms. */
const LONGEST_BREAK_MS = 600_000;
/** A source that sends nothing new for so long has stalled, adverts or not, ms. */
const LONGEST_SILENCE_MS = 30_000;

/**
 * Cuts adverts out of a live media playlist, load by load. What is left is numbered by a media sequence of its own,
 * which only grows, with a discontinuity where something was cut. Pure: the caller loads and brings the time.
 *
 * An advert is what lies in an `EXT-X-DATERANGE` of class `twitch-stitched-ad` or with an id that begins with
 * `stitched-ad-`, or bears `Amazon` in its title: this is how Twitch marks what it stitches in, and how streamlink
 * tells it.
 */
export class AdvertFilter {
  /** Advert segments that were cut out so far. */
  dropped = 0;
  private kept: Segment[] = [];
  private ranges: DateRange[] = [];
  /** Media sequence number of the first kept segment. */
  private first = 0;
  private discontinuities = 0;
  private lastSeen: number | null = null;
  private targetDurationS = 1;
  private cut = false;
  private ended = false;
  private breakSince: number | null = null;
  private advancedAt: number;

  constructor(private readonly now: () => number) {
    this.advancedAt = now();
  }

  /** Takes one load of the source. @returns false when it is no media playlist; then nothing has changed. */
  take(text: string, base: string): boolean {
    const playlist = parseMediaPlaylist(text, base);
    if (playlist === null || playlist.targetDurationS === 0) return false;
    this.targetDurationS = playlist.targetDurationS;
    this.ended = playlist.ended;
    this.remember(playlist.ranges);
    this.noticeRestart(playlist.segments);
    for (const segment of playlist.segments) {
      if (this.lastSeen !== null && segment.sequence <= this.lastSeen) continue;
      this.lastSeen = segment.sequence;
      this.advancedAt = this.now();
      if (this.isAdvert(segment)) this.drop();
      else this.keep(segment);
    }
    return true;
  }

  /** The playlist without adverts; null as long as nothing but adverts was seen. */
  render(): string | null {
    if (this.kept.length === 0 && !this.ended) return null;
    const lines = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${Math.ceil(this.targetDurationS)}`];
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${this.first}`, `#EXT-X-DISCONTINUITY-SEQUENCE:${this.discontinuities}`);
    let [key, map] = ['', ''];
    for (const segment of this.kept) {
      if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
      if (segment.key !== key) lines.push(segment.key === '' ? '#EXT-X-KEY:METHOD=NONE' : segment.key);
      if (segment.map !== map && segment.map !== '') lines.push(segment.map);
      ({ key, map } = segment);
      if (segment.date !== null) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.date).toISOString()}`);
      lines.push(`#EXTINF:${(segment.durationMs / 1_000).toFixed(3)},`);
      if (segment.byteRange !== '') lines.push(segment.byteRange);
      lines.push(segment.uri);
    }
    if (this.ended) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  /** Whether adverts are all that comes at present, and come they do. */
  intermission(): boolean {
    if (this.breakSince === null) return false;
    const now = this.now();
    return now - this.breakSince < LONGEST_BREAK_MS && now - this.advancedAt < LONGEST_SILENCE_MS;
  }

  private remember(ranges: readonly DateRange[]): void {
    const adverts = ranges.filter((range) => range.class === 'twitch-stitched-ad' || /^stitched-ad-/.test(range.id));
    const known = this.ranges.filter(
      ({ id, startAt }) => !adverts.some((it) => it.id === id && it.startAt === startAt),
    );
    // A range leaves the playlist before the last segment that lies in it.
    this.ranges = [...known, ...adverts].slice(-MOST_RANGES);
  }

  /** A source whose numbers fall back by more than a late copy of the playlist explains has begun anew. */
  private noticeRestart(segments: readonly Segment[]): void {
    const newest = segments.at(-1)?.sequence;
    if (newest === undefined || this.lastSeen === null) return;
    if (newest + 2 * Math.max(segments.length, KEPT) < this.lastSeen) {
      this.lastSeen = null;
      this.cut = true;
    }
  }

  private isAdvert({ title, date, durationMs }: Segment): boolean {
    if (title.includes('Amazon')) return true;
    if (date === null) return false;
    // By its middle: the dates of ranges and segments are rounded, each in its own way.
    const middle = date + durationMs / 2;
    return this.ranges.some(({ startAt, endAt }) => middle >= startAt && middle < endAt);
  }

  private drop(): void {
    this.dropped += 1;
    this.cut = true;
    this.breakSince ??= this.now();
  }

  private keep(segment: Segment): void {
    const begins = this.kept.length === 0;
    this.kept.push({ ...segment, discontinuity: !begins && (segment.discontinuity || this.cut) });
    this.cut = false;
    this.breakSince = null;
    if (this.kept.length <= KEPT) return;
    if (this.kept.shift()?.discontinuity === true) this.discontinuities += 1;
    this.first += 1;
  }
}
