import { FfmpegLog, type FrameReport } from './ffmpeg-log.js';

const line = (tag: string, pts: string): string =>
  `[showinfo@${tag} @ 0x55] [info] n:   0 pts: 132000 pts_time:${pts} pos:      564 fmt:yuv420p sar:1/1 s:1280x720 i:P iskey:1 type:I \n`;

describe('FfmpegLog', () => {
  function log(): { log: FfmpegLog; reports: FrameReport[] } {
    const reports: FrameReport[] = [];
    return { reports, log: new FfmpegLog('tag', (report) => reports.push(report), 3) };
  }

  it('reports a frame however the text is cut', () => {
    const { log: it, reports } = log();
    for (const letter of line('tag', '1.46667')) it.write(letter);
    expect(reports).toEqual([{ ptsMs: 1_467, source: { width: 1280, height: 720 } }]);
    expect(it.lines()).toEqual([]);
  });

  it('knows a frame without a time', () => {
    const { log: it, reports } = log();
    it.write(line('tag', 'NOPTS'));
    expect(reports[0]?.ptsMs).toBeNull();
  });

  it('takes no report from a line that only looks like one', () => {
    const { log: it, reports } = log();
    it.write(line('other', '1'));
    it.write(`[mov @ 0x1] title: ${line('tag', '1')}`);
    expect(reports).toEqual([]);
  });

  it.each([
    [true, '[hls @ 0x55b2] [warning] Media sequence changed unexpectedly: 5005 -> 0'],
    [true, '[h264 @ 0x55b5] [error] SEI type 4 size 504 truncated at 190'],
    [true, '[NULL @ 0x55b5] [error] missing picture in access unit with size 1201'],
    [false, '[h264 @ 0x55b5] [warning] Invalid NAL unit 0, skipping.'],
    [false, '[https @ 0x55b5] [error] HTTP error 404 Not Found'],
    [false, '[hls @ 0x55b5] [error] Failed to open segment 7 of playlist 0'],
    [false, '[mpegts @ 0x55b5] [warning] Packet corrupt (stream = 0, dts = 477000).'],
  ])('has doubts (%p) when ffmpeg says %p', (doubtful, said) => {
    let doubts = 0;
    const it = new FfmpegLog(
      'tag',
      () => undefined,
      3,
      () => undefined,
      () => (doubts += 1),
    );
    it.write(`${said}\n`);
    expect(doubts > 0).toBe(doubtful);
  });

  it('keeps the newest lines, redacted and cut', () => {
    const { log: it } = log();
    it.write(`a\nb\nOpening 'https://user:pass@a.test/x?token=1' for reading\nd\n${'x'.repeat(100_000)}`);
    it.write('\n');
    expect(it.lines()).toHaveLength(3);
    expect(it.lines()[0]).toBe("Opening 'https://***@a.test/x?*** for reading");
    expect(it.lines()[2]?.length).toBeLessThanOrEqual(8_192);
  });
});
