import { ScriptedProgram } from '#libs/testing/platform-program.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { PlatformError, Playback } from '../platform.port.js';
import { StreamlinkPlatform } from './streamlink.platform.js';

describe('StreamlinkPlatform', () => {
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
    new StreamlinkPlatform(script.path).resolve(url, new AbortController().signal, lane);

  it('sends it through the lane and plays what it finds', async () => {
    const url = 'https://cdn.test/a.m3u8?expires=1900000000';
    const headers = { 'User-Agent': 'Mozilla', Referer: 'https://site.test/', Connection: 'keep-alive', Accept: '*/*' };
    await script.will({ stdout: JSON.stringify({ type: 'hls', url, headers, master: null }) });
    expect(await resolve('https://site.test/--config=x?a=b')).toEqual({
      ...{ url, pace: 'live', container: 'hls', expiresAt: 1_900_000_000_000 },
      headers: { 'user-agent': 'Mozilla', referer: 'https://site.test/' },
    });
    const { argv = [] } = (await script.lastRun()) ?? {};
    expect(argv.slice(-3)).toEqual(['--', 'https://site.test/--config=x?a=b', 'best']);
    expect(argv[argv.indexOf('--http-proxy') + 1]).toBe(lane.proxyUrl);
    expect(argv).toEqual(expect.arrayContaining(['--no-config', '--json']));
  });

  it.each<[string, PlatformError['outcome'], PlatformError['reason']]>([
    ['No playable streams found on this URL: https://site.test/private', 'offline', 'offline'],
    ['No plugin can handle URL: https://site.test/', 'changed', 'unsupported_scheme'],
    ['Unable to open URL: https://x (404 Client Error: Not Found)', 'gone', 'gone'],
    ['Login required', 'auth_required', 'auth_required'],
    ['This content is not available in your country', 'geo_blocked', 'geo_blocked'],
    ['The channel is private', 'private', 'private'],
    ['Failed to get client-integrity token', 'challenge', 'challenge'],
    ['Something new', 'offline', 'unreachable'],
  ])('takes %p for %s', async (error, outcome, reason) => {
    await script.will({ stdout: JSON.stringify({ error }), exitCode: 1 });
    await expect(resolve()).rejects.toMatchObject({ outcome, reason });
    await script.will({ stderr: `error: ${error}\n`, exitCode: 1 });
    await expect(resolve()).rejects.toMatchObject({ outcome, reason });
  });

  it.each(['', 'not json', '{}', '{"type":"hls","url":"file:///etc/passwd"}', '{"type":"rtmp","url":"rtmp://x/y"}'])(
    'takes the output %p for a change',
    async (stdout) => {
      await script.will({ stdout });
      await expect(resolve()).rejects.toMatchObject({ outcome: 'changed' });
    },
  );

  it('tells whether it is installed', () => {
    expect(new StreamlinkPlatform(script.path).descriptor.options).toMatchObject({ installed: true });
    expect(new StreamlinkPlatform('no-such-program').descriptor.options).toEqual({
      ...{ installed: false, install: 'pip install streamlink' },
    });
  });
});
