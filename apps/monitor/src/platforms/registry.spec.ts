import { EgressProxy } from '../egress/egress-proxy.js';
import { platformOf, registerPlatforms } from './registry.js';

describe('platformOf', () => {
  const platforms = registerPlatforms({ allowFiles: false });

  it.each([
    ['https://www.twitch.tv/somebody', 'twitch'],
    ['twitch.tv/somebody', 'twitch'],
    ['https://kick.com/somebody', 'kick'],
    ['https://www.youtube.com/@somebody', 'youtube'],
    ['https://youtu.be/abcdefghij1', 'youtube'],
    ['https://m.youtube.com/watch?v=abcdefghij1', 'youtube'],
    ['https://kick.com/live/a.m3u8', null],
    ['https://nottwitch.tv/a', null],
    ['https://twitch.tv.evil.test/a', null],
    ['https://cdn.test/a.m3u8', null],
    ['rtmp://twitch.tv/a', null],
    ['nonsense', null],
    ['', null],
  ])('says of %p that it belongs to %p', (address, owner) => {
    expect(platformOf(address, platforms)).toBe(owner);
  });

  it('lets a page that is entered as a stream address say which platform to choose', async () => {
    const proxy = await EgressProxy.start({ allow: [] });
    const lane = await proxy.open('stream');
    const [url] = platforms;
    const answer = url?.resolve('https://www.twitch.tv/somebody', new AbortController().signal, lane);
    await expect(answer).rejects.toThrow('choose the platform "twitch"');
    expect(lane.stats.requests).toBe(0);
    await proxy.stop();
  });
});
