import type { StatusReason } from '#libs/contracts/primitives.js';
import { explainEnd, type CaptureEnd } from './capture-error.js';

const end = (more: Partial<CaptureEnd>): CaptureEnd => ({
  ...{ exitCode: 1, stalledMs: null, frames: 0, fault: null, log: [] },
  ...more,
});

describe('explainEnd', () => {
  it.each<[string, StatusReason]>([
    ['[https @ 0x1] HTTP error 403 Forbidden', 'forbidden'],
    ['http://a: Server returned 404 Not Found', 'not_found'],
    ["[http @ 0x1] Protocol 'file' not on whitelist 'http,tcp'!", 'refused_address'],
    ["[hls @ 0x1] Error when loading first segment 'tcp://10.0.0.1/x.ts'", 'refused_address'],
    ['Failed to resolve hostname a.test: Name or service not known', 'unknown_host'],
    ['tcp://a: Connection timed out', 'stalled'],
    ['tcp://a: Connection refused', 'unreachable'],
    ['http://a: Server returned 5XX Server Error reply', 'unreachable'],
    ['http://a: Invalid data found when processing input', 'not_a_stream'],
    ["Stream map '0:V:0' matches no streams.", 'not_a_stream'],
    ['something never seen', 'capture_failed'],
  ])('reads %p as %s', (line, reason) => {
    expect(explainEnd(end({ log: ['[info] other', line] })).reason).toBe(reason);
  });

  it('takes the word of the way out over that of ffmpeg', () => {
    const log = ['Invalid data found'];
    const fault = (reason: StatusReason) => ({ reason, detail: 'why', at: 1 });
    expect(explainEnd(end({ log, fault: fault('not_found') })).reason).toBe('not_found');
    expect(explainEnd(end({ log, stalledMs: 1_000, fault: fault('not_found') })).reason).toBe('stalled');
    expect(explainEnd(end({ log, stalledMs: 1_000, fault: fault('refused_address') })).reason).toBe('refused_address');
  });

  it('tells an end from an empty input', () => {
    expect(explainEnd(end({ exitCode: 0, frames: 5 })).reason).toBe('ended');
    expect(explainEnd(end({ exitCode: 0 })).reason).toBe('not_a_stream');
  });
});
