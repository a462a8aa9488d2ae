import { parseDemoArguments } from './arguments.js';
import { onAirAt, startOfAir } from './origin.js';

describe('the demo', () => {
  it('reads its flags', () => {
    expect(parseDemoArguments([])).toEqual({ json: false, help: false, until: null, timeoutMs: null });
    expect(parseDemoArguments(['--json', '--until', 'video', '--timeout', '12'])).toEqual({
      json: true,
      help: false,
      until: 'video',
      timeoutMs: 12_000,
    });
    expect(parseDemoArguments(['--until=video'])).toMatchObject({ timeoutMs: 180_000 });
    expect(parseDemoArguments(['-h'])).toMatchObject({ help: true });
  });

  it.each([
    [['--until', 'audio'], '--until knows: video'],
    [['--timeout', 'soon', '--until', 'video'], '--timeout wants seconds'],
    [['--timeout', '0', '--until', 'video'], 'above 0'],
    [['--timeout', '5'], '--timeout needs --until'],
    [['--colour'], 'colour'],
    [['extra'], 'extra'],
  ])('refuses %j with a sentence', (args, sentence) => {
    expect(parseDemoArguments(args)).toContain(sentence);
  });

  it('maps presentation time to the time on air, also after the 33-bit clock began anew', () => {
    const start = startOfAir('#EXTINF:2.0,\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:52:02.937+0000\nsegment0.ts\n');
    expect(start).toBe(Date.UTC(2026, 10, 22, 14, 52, 2, 937));
    expect(onAirAt(start, 3_400, start + 5_000)).toBe(start + 2_000);
    const round = 2 ** 33 / 90;
    expect(onAirAt(start, 3_400, start + round + 5_000)).toBeCloseTo(start + round + 2_000, 3);
  });
});
