import { HlsOrigin, masterPlaylist, mediaPlaylist } from '#libs/testing/hls-origin.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { variantsOf, variantToWatch, withRendition } from './master-playlist.js';
import type { Playback } from './platform.port.js';

const BASE = 'https://edge.test/a/master.m3u8';

describe('variantToWatch', () => {
  it.each([
    [[144, 360, 720, 1440], 720],
    [[1080, 720], 1080],
    [[2160, 1440], 1440],
    [[480], 480],
  ])('takes of %p the one with %d lines', (lineCounts, lines) => {
    const variants = variantsOf(masterPlaylist(lineCounts), BASE);
    expect(variantToWatch(variants)).toMatchObject({ url: `https://edge.test/${lines}p.m3u8`, height: lines });
  });

  it('takes a picture before any sound, and sound before nothing', () => {
    const sound = '#EXT-X-STREAM-INF:BANDWIDTH=99000000,CODECS="mp4a.40.2"\nsound.m3u8\n';
    expect(variantToWatch(variantsOf(masterPlaylist([360]) + sound, BASE))?.height).toBe(360);
    expect(variantToWatch(variantsOf(`#EXTM3U\n${sound}`, BASE))?.url).toBe('https://edge.test/a/sound.m3u8');
    expect(variantToWatch(variantsOf('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n', BASE))).toBeUndefined();
  });
});

describe('withRendition', () => {
  let origin: HlsOrigin;
  let proxy: EgressProxy;

  beforeAll(async () => {
    origin = await HlsOrigin.start();
    proxy = await EgressProxy.start({ allow: [origin.host] });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
  });

  it('leaves a media playlist, and a master whose sound is apart, as they are', async () => {
    const lane = await proxy.open('stream');
    const apart = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="a.m3u8"\n';
    const urls = [
      origin.text('/media.m3u8', mediaPlaylist([{ uri: 'a.ts', durationMs: 1_000 }], 0)),
      origin.text('/apart.m3u8', `${masterPlaylist([144, 720])}${apart}`),
    ];
    for (const url of urls) {
      const playback: Playback = { url, headers: {}, pace: 'live', container: 'hls', expiresAt: null };
      expect(await withRendition(playback, 'It', lane, new AbortController().signal)).toEqual(playback);
    }
  });
});
