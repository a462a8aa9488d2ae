import type { Playback } from '../platforms/platform.port.js';
import { TEST_FORMAT } from './clips.fixture.js';
import { ffmpegArguments, type CapturePlan } from './ffmpeg-arguments.js';

const playback = (url: string, more: Partial<Playback> = {}): Playback => ({
  ...{ url, headers: {}, pace: 'live', expiresAt: null },
  ...more,
});
const plan = (target: Playback, more: Partial<CapturePlan> = {}): CapturePlan => ({
  ...{
    playback: target,
    format: TEST_FORMAT,
    sampleIntervalMs: 1_000,
    decode: 'keyframes',
    proxyUrl: 'http://127.0.0.1:1',
  },
  ...{ readTimeoutMs: 20_000, maxPixels: 100, maxEvidenceWidth: 1_920, reportTag: 'tag' },
  ...more,
});
const valueOf = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1];

describe('ffmpegArguments', () => {
  it.each([
    ['http://a.test/x', 'http,https,tcp,tls,crypto,httpproxy'],
    ['https://a.test/x', 'http,https,tcp,tls,crypto,httpproxy'],
    ['rtmp://a.test/x', 'rtmp,tcp'],
    ['rtmps://a.test/x', 'rtmps,tls,tcp'],
    ['rtsp://a.test/x', 'rtsp,tcp'],
    ['srt://a.test:9/x', 'srt,udp'],
  ])('gives %s only the protocols it needs', (url, protocols) => {
    const args = ffmpegArguments(plan(playback(url)));
    expect(valueOf(args, '-protocol_whitelist')).toBe(protocols);
    expect(args.indexOf('-protocol_whitelist')).toBeLessThan(args.indexOf('-i'));
  });

  it.each([
    'file:///etc/passwd',
    'concat:a|b',
    'subfile:,,start,0,end,9,,:/etc/passwd',
    'data:text/plain,x',
    'pipe:0',
    'not a url',
  ])('refuses %s as a live input', (url) => {
    expect(() => ffmpegArguments(plan(playback(url)))).toThrow(expect.objectContaining({ code: 'capture.bad_input' }));
  });

  it('reads a file only when the playback is one, and then nothing else', () => {
    const args = ffmpegArguments(plan(playback('file:///clips/a%20b.mp4', { pace: 'file' }), { proxyUrl: null }));
    expect(valueOf(args, '-protocol_whitelist')).toBe('file');
    expect(valueOf(args, '-i')).toBe('file:/clips/a b.mp4');
    expect(args).not.toContain('-http_proxy');
  });

  it('sends every http input through the proxy', () => {
    expect(valueOf(ffmpegArguments(plan(playback('https://a.test/x'))), '-http_proxy')).toBe('http://127.0.0.1:1');
    expect(() => ffmpegArguments(plan(playback('https://a.test/x'), { proxyUrl: null }))).toThrow('proxy');
  });

  it('passes headers on, but none that would make two', () => {
    const args = ffmpegArguments(plan(playback('https://a.test/x', { headers: { Referer: 'https://a.test/' } })));
    expect(valueOf(args, '-headers')).toBe('Referer: https://a.test/\r\n');
    const bad: Record<string, string>[] = [
      { X: 'a\r\nHost: b' },
      { 'X\r\nY': 'a' },
      { X: 'a\nb' },
      { 'X Y': 'a' },
      { X: 'a\0' },
    ];
    for (const headers of bad) {
      expect(() => ffmpegArguments(plan(playback('https://a.test/x', { headers })))).toThrow('header');
    }
  });

  it('never lets a url become an option', () => {
    expect(() => ffmpegArguments(plan(playback('-y')))).toThrow();
    expect(() => ffmpegArguments(plan(playback('https://a.test/x -y')))).toThrow();
  });

  it('decodes keyframes only, or everything', () => {
    expect(ffmpegArguments(plan(playback('https://a.test/x')))).toContain('-skip_frame');
    expect(ffmpegArguments(plan(playback('https://a.test/x'), { decode: 'full' }))).not.toContain('-skip_frame');
  });

  it('starts near the live edge of HLS and leaves other containers alone', () => {
    const hls = ffmpegArguments(plan(playback('https://a.test/x', { container: 'hls' })));
    expect(valueOf(hls, '-live_start_index')).toBe('-2');
    expect(ffmpegArguments(plan(playback('https://a.test/x')))).not.toContain('-live_start_index');
  });

  it('bounds pictures and silence', () => {
    const args = ffmpegArguments(plan(playback('https://a.test/x')));
    expect(valueOf(args, '-max_pixels')).toBe('100');
    expect(valueOf(args, '-rw_timeout')).toBe('20000000');
  });
});
