import { YoutubeStandIn } from '#libs/testing/platform-youtube-server.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { AirStatus, Playback } from '../platform.port.js';
import { YoutubePlatform } from './youtube.platform.js';

describe('YoutubePlatform', () => {
  let stand: YoutubeStandIn;
  let proxy: EgressProxy;
  let lane: EgressLane;

  beforeEach(async () => {
    stand = await YoutubeStandIn.start();
    proxy = await EgressProxy.start({ allow: stand.hosts, resolve: () => Promise.resolve(['127.0.0.1']) });
    lane = await proxy.open('stream');
  });
  afterEach(async () => {
    await proxy.stop();
    await stand.stop();
  });
  const resolve = (text: string): Promise<Playback> =>
    new YoutubePlatform({ siteUrl: stand.url }).resolve(text, new AbortController().signal, lane);

  it('plays the HLS address that the player is given, until it expires', async () => {
    expect(await resolve('https://www.youtube.com/watch?v=abcdefghij1')).toEqual({
      ...{
        url: new URL('/720p.m3u8', stand.url).href,
        headers: {},
        pace: 'live',
        container: 'hls',
        expiresAt: 1_900_000_000_000,
      },
    });
    expect(stand.asked).toMatchObject([
      { videoId: 'abcdefghij1', context: { client: { clientName: 'ANDROID', hl: 'en' } } },
    ]);
  });

  it.each([
    ...[
      'https://youtu.be/abcdefghij1?t=1',
      'https://www.youtube.com/live/abcdefghij1',
      'youtube.com/embed/abcdefghij1',
    ],
    ...['https://www.youtube.com/@somebody', 'https://www.youtube.com/@somebody/live', '@somebody'],
  ])('finds the video of %p', async (text) => {
    await resolve(text);
    expect(stand.asked).toMatchObject([{ videoId: 'abcdefghij1' }]);
  });

  it('declines what may be declined when asked for consent, and gives up when that is no answer', async () => {
    stand.consent = 'asked';
    await resolve('@somebody');
    stand.consent = 'insists';
    await expect(resolve('@somebody')).rejects.toMatchObject({ outcome: 'challenge' });
  });

  it.each<[string, string | undefined, AirStatus]>([
    ['LIVE_STREAM_OFFLINE', 'This live event will begin in 3 hours.', 'offline'],
    ['LOGIN_REQUIRED', 'This video is private.', 'private'],
    ['LOGIN_REQUIRED', "Sign in to confirm you're not a bot", 'challenge'],
    ['LOGIN_REQUIRED', 'Sign in to confirm your age', 'auth_required'],
    ['LOGIN_REQUIRED', undefined, 'auth_required'],
    ['UNPLAYABLE', 'The uploader has not made this video available in your country', 'geo_blocked'],
    ['UNPLAYABLE', 'Join this channel to get access to members-only content', 'auth_required'],
    ['UNPLAYABLE', 'This live stream recording is not available.', 'offline'],
    ['ERROR', 'Video unavailable', 'gone'],
    ['ERROR', 'This video has been removed by the uploader', 'gone'],
    ['SOMETHING_NEW', undefined, 'offline'],
  ])('takes %s (%s) for %s', async (status, reason, outcome) => {
    stand.playability = { status, ...(reason === undefined ? {} : { reason }) };
    await expect(resolve('abcdefghij1')).rejects.toMatchObject({ outcome, reason: outcome });
  });

  it('calls a channel without a live video, and a recording, offline', async () => {
    stand.liveVideo = null;
    await expect(resolve('@somebody')).rejects.toMatchObject({ outcome: 'offline' });
    stand.hlsManifestUrl = null;
    stand.isLive = false;
    await expect(resolve('abcdefghij1')).rejects.toMatchObject({ outcome: 'offline' });
    stand.isLive = true;
    await expect(resolve('abcdefghij1')).rejects.toMatchObject({ outcome: 'changed' });
  });

  it.each([
    'https://www.youtube.com/',
    'https://www.youtube.com/feed/you',
    'https://evil.test/watch?v=abcdefghij1',
    '@a b',
  ])('does not take %p for a stream', async (text) => {
    await expect(resolve(text)).rejects.toMatchObject({ reason: 'unsupported_scheme' });
  });
});
