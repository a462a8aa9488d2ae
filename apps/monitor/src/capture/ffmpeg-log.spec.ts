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

  it('keeps the newest lines, redacted and cut', () => {
    const { log: it } = log();
    it.write(`a\nb\nOpening 'https://user:pass@a.test/x?token=1' for reading\nd\n${'x'.repeat(100_000)}`);
    it.write('\n');
    expect(it.lines()).toHaveLength(3);
    expect(it.lines()[0]).toBe("Opening 'https://***@a.test/x?*** for reading");
    expect(it.lines()[2]?.length).toBeLessThanOrEqual(8_192);
  });
});
