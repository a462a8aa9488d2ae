import { expiryOf } from './expiry.js';

const token = (claims: unknown): string => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

describe('expiryOf', () => {
  it.each<[string, string, number | null]>([
    ['a query', 'https://x.test/a.m3u8?expire=1900000000&b=1', 1_900_000_000_000],
    ['a path', 'https://x.test/api/manifest/hls_variant/expire/1900000001/ei/b/index.m3u8', 1_900_000_001_000],
    ['a token', `https://x.test/a.m3u8?token=${token({ exp: 1_900_000_002 })}`, 1_900_000_002_000],
    ['a token without an end', `https://x.test/a.m3u8?token=${token({ sub: 1 })}`, null],
    ['a token that is none', 'https://x.test/a.m3u8?token=a.b.c', null],
    ['a number that is no instant', 'https://x.test/a.m3u8?expires=60', null],
    ['nothing', 'https://x.test/a.m3u8', null],
    ['no address', 'nonsense', null],
  ])('reads %s', (_title, url, at) => {
    expect(expiryOf(url)).toBe(at);
  });
});
