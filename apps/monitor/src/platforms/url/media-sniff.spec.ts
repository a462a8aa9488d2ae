import { sniff } from './media-sniff.js';

describe('sniff', () => {
  it.each<[string, Buffer, string, string]>([
    ['an HLS playlist', Buffer.from('#EXTM3U\n'), 'text/plain', 'hls'],
    ['a DASH manifest', Buffer.from('<?xml version="1.0"?>\n<MPD type="dynamic">'), 'text/html', 'dash'],
    ['MP4', Buffer.from('\0\0\0\x20ftypisom'), 'text/html', 'other'],
    ['a transport stream', Buffer.concat([Buffer.alloc(188, 0x47), Buffer.alloc(188, 0x47)]), '', 'other'],
    ['FLV', Buffer.from('FLV\x01'), '', 'other'],
    ['WebM', Buffer.from('1a45dfa3', 'hex'), '', 'other'],
    ['motion JPEG', Buffer.from('--boundary'), 'multipart/x-mixed-replace; boundary=x', 'other'],
    ['a page', Buffer.from('<!doctype html>'), 'text/html', 'none'],
    ['a page that says it is a playlist', Buffer.from('<html>'), 'application/vnd.apple.mpegurl', 'none'],
    ['text that begins like a packet', Buffer.from('Go away'.padEnd(300, '.')), 'text/plain', 'none'],
    ['JSON', Buffer.from('{"error":1}'), 'application/json', 'none'],
    ['a picture', Buffer.from('89504e470d0a1a0a0000', 'hex'), 'image/png', 'none'],
    ['nothing', Buffer.alloc(0), 'video/mp2t', 'none'],
  ])('tells %s', (_title, body, type, container) => {
    expect(sniff(body, type).container).toBe(container);
  });

  it('reads the target duration', () => {
    expect(sniff(Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:6\n'), '')).toEqual({
      container: 'hls',
      targetDurationMs: 6_000,
    });
  });
});
