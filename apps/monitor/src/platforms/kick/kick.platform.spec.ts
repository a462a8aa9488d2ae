import { KickStandIn, type KickMood } from '#libs/testing/platform-kick-server.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { PlatformError, Playback } from '../platform.port.js';
import { KickPlatform } from './kick.platform.js';

describe('KickPlatform', () => {
  let stand: KickStandIn;
  let proxy: EgressProxy;
  let lane: EgressLane;

  beforeAll(async () => {
    stand = await KickStandIn.start();
    proxy = await EgressProxy.start({ allow: [stand.origin.host] });
    lane = await proxy.open('stream');
  });
  afterAll(async () => {
    await proxy.stop();
    await stand.stop();
  });
  const resolve = (text: string): Promise<Playback> =>
    new KickPlatform({ siteUrl: stand.url }).resolve(text, new AbortController().signal, lane);

  it('plays what the channel record names, until its token ends', async () => {
    stand.mood = 'live';
    const claims = Buffer.from('{"exp":1900000000}').toString('base64url');
    stand.playbackUrl = stand.origin.url(`/master.m3u8?token=h.${claims}.s`);
    expect(await resolve('https://kick.com/Somebody')).toEqual({
      ...{
        url: stand.origin.url('/720p.m3u8'),
        headers: {},
        pace: 'live',
        container: 'hls',
        expiresAt: 1_900_000_000_000,
      },
    });
    expect(stand.origin.requests).toEqual(['/api/v2/channels/somebody', '/master.m3u8']);
  });

  it.each<[KickMood, PlatformError['outcome']]>([
    ['offline', 'offline'],
    ['unknown', 'gone'],
    ['cloudflare', 'challenge'],
  ])('takes the answer %s for %s', async (mood, outcome) => {
    stand.mood = mood;
    await expect(resolve('somebody')).rejects.toMatchObject({ outcome, reason: outcome });
  });

  it('tells what to do where a browser is wanted', async () => {
    stand.mood = 'cloudflare';
    await expect(resolve('somebody')).rejects.toThrow(/HLS address.*"url".*install streamlink or yt-dlp/);
  });

  it.each([
    [404, 'gone'],
    [403, 'blocked'],
    [503, 'offline'],
  ])('takes a playlist that answers %d for %s', async (status, outcome) => {
    stand.mood = 'live';
    stand.playbackUrl = stand.origin.text('/broken.m3u8', '', 'text/plain', status);
    await expect(resolve('somebody')).rejects.toMatchObject({ outcome });
  });

  it('plays nothing but the web', async () => {
    stand.mood = 'live';
    stand.playbackUrl = 'file:///etc/passwd';
    await expect(resolve('somebody')).rejects.toMatchObject({ outcome: 'changed' });
  });

  it.each(['https://kick.com/', 'https://evil.test/a', '../x', 'a b'])(
    'does not take %p for a channel',
    async (text) => {
      await expect(resolve(text)).rejects.toMatchObject({ reason: 'unsupported_scheme' });
    },
  );
});
