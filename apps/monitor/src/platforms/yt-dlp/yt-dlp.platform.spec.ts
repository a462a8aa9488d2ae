import { ScriptedProgram } from '#libs/testing/platform-program.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { PlatformError, Playback } from '../platform.port.js';
import { YtDlpPlatform } from './yt-dlp.platform.js';

describe('YtDlpPlatform', () => {
  let script: ScriptedProgram;
  let proxy: EgressProxy;
  let lane: EgressLane;

  beforeAll(async () => {
    script = await ScriptedProgram.make();
    proxy = await EgressProxy.start({ allow: [] });
    lane = await proxy.open('stream');
  });
  afterAll(async () => {
    await proxy.stop();
    await script.remove();
  });
  const resolve = (url = 'https://site.test/live'): Promise<Playback> =>
    new YtDlpPlatform(script.path).resolve(url, new AbortController().signal, lane);

  it('sends it through the lane and plays what it finds', async () => {
    const url = 'https://cdn.test/expire/1900000000/a.m3u8';
    const info = { id: 'x', url, protocol: 'm3u8_native', is_live: true, http_headers: { 'User-Agent': 'Mozilla' } };
    await script.will({ stdout: JSON.stringify(info) });
    expect(await resolve()).toEqual({
      ...{ url, pace: 'live', container: 'hls', expiresAt: 1_900_000_000_000, headers: { 'user-agent': 'Mozilla' } },
    });
    const { argv = [] } = (await script.lastRun()) ?? {};
    expect(argv.slice(-4)).toEqual(['--proxy', lane.proxyUrl, '--', 'https://site.test/live']);
    expect(argv).toEqual(expect.arrayContaining(['--ignore-config', '--dump-single-json', '--no-playlist']));
  });

  it('plays DASH by its manifest', async () => {
    const info = {
      url: 'https://cdn.test/1.mp4',
      manifest_url: 'https://cdn.test/a.mpd',
      protocol: 'http_dash_segments',
    };
    await script.will({ stdout: JSON.stringify(info) });
    expect(await resolve()).toMatchObject({ url: 'https://cdn.test/a.mpd', container: 'dash', expiresAt: null });
  });

  it('plays no recording', async () => {
    await script.will({ stdout: JSON.stringify({ url: 'https://cdn.test/a.mp4', protocol: 'https', is_live: false }) });
    await expect(resolve()).rejects.toMatchObject({ outcome: 'offline' });
  });

  it.each<[string, PlatformError['outcome'], PlatformError['reason']]>([
    ['[twitch:stream] x: The channel is not currently live', 'offline', 'offline'],
    ['[youtube] x: This live event will begin in 3 hours.', 'offline', 'offline'],
    ["[youtube] x: Private video. Sign in if you've been granted access to this video", 'private', 'private'],
    ["[youtube] x: Sign in to confirm you're not a bot.", 'challenge', 'challenge'],
    ['[youtube] x: Video unavailable', 'gone', 'gone'],
    ['[generic] x: Unable to download webpage: HTTP Error 404: Not Found', 'gone', 'gone'],
    ['Unsupported URL: https://site.test/live', 'changed', 'unsupported_scheme'],
    ['The uploader has not made this video available in your country', 'geo_blocked', 'geo_blocked'],
  ])('takes %p for %s', async (said, outcome, reason) => {
    await script.will({ stderr: `ERROR: ${said}\n`, exitCode: 1 });
    await expect(resolve()).rejects.toMatchObject({ outcome, reason });
  });

  it.each(['', 'nonsense', '{"url":"rtmp://x/y"}', 'null'])('takes the output %p for a change', async (stdout) => {
    await script.will({ stdout });
    await expect(resolve()).rejects.toMatchObject({ outcome: 'changed' });
  });
});
