import { redactUrls } from '#libs/observability/logger.js';
import type { Size } from './frame.js';
import type { SoundReport } from './sound-chunks.js';

/** What ffmpeg said of one frame that it delivers. */
export interface FrameReport {
  /** Presentation time in the source's own clock, ms; null when the source gives none. */
  ptsMs: number | null;
  /** Size of the picture after rotation, before any scaling. */
  source: Size;
}

const REPORT = /\] n: *\d+ pts: *\S+ pts_time:(\S+) .*? s:(\d{1,5})x(\d{1,5}) /;
const SOUND_REPORT = /\] n: *\d+ pts: *\S+ pts_time:(\S+) .*? nb_samples:(\d{1,6}) /;
const MAX_LINE = 8_192;
/**
 * What a run seldom recovers from, though the source may be well: numbers of segments that began anew, for ffmpeg
 * waits until they have caught up; and errors of parsers and decoders, as after a change of codec. Trouble of the
 * network is none of it, for that passes.
 */
const DOUBTFUL =
  /Media sequence changed unexpectedly|^\[(?!https? |tcp |tls |hls |dash |crypto |rtmps? |rtsp |srt )\w+ @ \w+\] \[(?:error|fatal)\] /;

/**
 * Reads ffmpeg's stderr: hands out frame reports and keeps the newest other lines. Lines and their number are
 * bounded, and urls are redacted as they are kept.
 */
export class FfmpegLog {
  private readonly kept: string[] = [];
  private partial = '';
  private readonly marker: RegExp;
  private readonly soundMarker: RegExp;

  constructor(
    reportTag: string,
    private readonly onReport: (report: FrameReport) => void,
    private readonly limit = 60,
    private readonly onSound: (report: SoundReport) => void = () => undefined,
    /** Something was said that a run seldom recovers from. */
    private readonly onDoubt: () => void = () => undefined,
  ) {
    this.soundMarker = new RegExp(`^\\[ashowinfo@${reportTag} @ `);
    this.marker = new RegExp(`^\\[showinfo@${reportTag} @ `);
  }

  /** Takes text as it comes, cut anywhere. */
  write(text: string): void {
    const lines = (this.partial + text).split(/[\r\n]+/);
    this.partial = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) this.line(line.slice(0, MAX_LINE));
  }

  /** The newest lines that are not frame reports, oldest first, urls redacted. */
  lines(): readonly string[] {
    return this.kept;
  }

  private line(line: string): void {
    if (this.marker.test(line)) {
      const [, pts, width, height] = REPORT.exec(line) ?? [];
      if (pts === undefined || width === undefined || height === undefined) return;
      this.onReport({ ptsMs: milliseconds(pts), source: { width: Number(width), height: Number(height) } });
      return;
    }
    if (this.soundMarker.test(line)) {
      const [, pts, samples] = SOUND_REPORT.exec(line) ?? [];
      if (pts !== undefined && samples !== undefined) {
        this.onSound({ ptsMs: milliseconds(pts), samples: Number(samples) });
      }
      return;
    }
    if (line.trim() === '' || line.includes('deprecated pixel format used')) return;
    if (DOUBTFUL.test(line)) this.onDoubt();
    this.kept.push(redactUrls(line));
    if (this.kept.length > this.limit) this.kept.shift();
  }
}

/** ffmpeg's seconds, or `NOPTS`. */
function milliseconds(time: string): number | null {
  const seconds = Number(time);
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : null;
}
