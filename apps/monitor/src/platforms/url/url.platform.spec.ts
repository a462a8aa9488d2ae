import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StatusReason } from '#libs/contracts/primitives.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import { UrlPlatform } from './url.platform.js';

describe('UrlPlatform', () => {
  const platform = new UrlPlatform(false);
  const signal = new AbortController().signal;
  let origin: HlsOrigin;
  let proxy: EgressProxy;
  let lane: EgressLane;

  beforeAll(async () => {
    origin = await HlsOrigin.start();
    proxy = await EgressProxy.start({
      allow: [origin.host],
      resolve: (host) =>
        host === 'cam.test' ? Promise.resolve(['93.184.216.34']) : Promise.reject(new Error(`no ${host}`)),
    });
    lane = await proxy.open('stream');
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
  });

  it('says what a good address plays', async () => {
    const url = origin.text('/live.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n');
    expect(await platform.resolve(url, signal, lane)).toEqual({
      ...{ url, headers: {}, pace: 'live', expiresAt: null, container: 'hls', targetDurationMs: 4_000 },
    });
  });

  it.each([
    ['rtmp://cam.test/live/key', 'rtmp://93.184.216.34/live/key'],
    ['rtsp://user:pass@cam.test:8554/1?channel=2', 'rtsp://user:pass@93.184.216.34:8554/1?channel=2'],
    ['srt://cam.test:9000?streamid=a&mode=caller', 'srt://93.184.216.34:9000?streamid=a&mode=caller'],
    ['rtmps://cam.test/live', 'rtmps://cam.test/live'],
    ['rtsps://cam.test:8322/1', 'rtsps://cam.test:8322/1'],
  ])('pins %s to %s', async (url, pinned) => {
    expect(await platform.resolve(url, signal, lane).catch((error: Error) => error.message)).toMatchObject({
      url: pinned,
    });
  });

  it.each<[string, StatusReason]>([
    ['', 'unsupported_scheme'],
    ['not a url', 'unsupported_scheme'],
    ['-i', 'unsupported_scheme'],
    ['ftp://cam.test/x', 'unsupported_scheme'],
    ['udp://239.0.0.1:1234', 'unsupported_scheme'],
    ['data:text/plain,x', 'unsupported_scheme'],
    ['concat:http://a|b', 'unsupported_scheme'],
    ['file:///etc/passwd', 'unsupported_scheme'],
    ['http://cam.test/a\r\nHost: b', 'unsupported_scheme'],
    ['srt://cam.test', 'unsupported_scheme'],
    ['srt://cam.test:9000?mode=listener', 'unsupported_scheme'],
    ['srt://cam.test:9000?adapter=1.2.3.4', 'unsupported_scheme'],
    ['rtsp://cam.test/x?multicast', 'unsupported_scheme'],
    ['rtsp://10.0.0.1/x', 'refused_address'],
    ['rtmp://[::1]/x', 'refused_address'],
    ['srt://127.0.0.1:9000', 'refused_address'],
    ['rtsp://nowhere.test/x', 'unknown_host'],
  ])('refuses %p as %s', async (url, reason) => {
    await expect(platform.resolve(url, signal, lane)).rejects.toMatchObject({ reason });
  });

  it.each<[number, string, StatusReason]>([
    [404, 'platform.gone', 'not_found'],
    [410, 'platform.gone', 'not_found'],
    [401, 'platform.blocked', 'forbidden'],
    [403, 'platform.blocked', 'forbidden'],
    [503, 'platform.offline', 'unreachable'],
    [204, 'platform.changed', 'not_a_stream'],
  ])('takes status %d for %s', async (status, code, reason) => {
    const url = origin.text('/status', '', 'text/plain', status);
    await expect(platform.resolve(url, signal, lane)).rejects.toMatchObject({ code, reason });
  });

  it('never repeats a password', async () => {
    const url = `http://user:hunter2@10.0.0.1/x?token=hunter2`;
    const error: unknown = await platform.resolve(url, signal, lane).catch((reason: unknown) => reason);
    expect(JSON.stringify([String(error), error])).not.toContain('hunter2');
  });

  it('plays a file only when that is allowed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'vigil-file-'));
    const path = join(directory, 'a b.mp4');
    await writeFile(path, '');
    const url = pathToFileURL(path).href;
    expect(await new UrlPlatform(true).resolve(url, signal, lane)).toMatchObject({ url, pace: 'file' });
    await expect(new UrlPlatform(true).resolve(`${url}x`, signal, lane)).rejects.toMatchObject({ reason: 'not_found' });
    await rm(directory, { recursive: true });
  });
});
