import { TwitchStandIn, type TwitchMood } from '#libs/testing/platform-twitch-server.js';
import { request } from 'node:http';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { PlatformError, Playback } from '../platform.port.js';
import { TwitchPlatform } from './twitch.platform.js';

describe('TwitchPlatform', () => {
  let stand: TwitchStandIn;
  let proxy: EgressProxy;
  let lane: EgressLane;
  let platform: TwitchPlatform;

  beforeAll(async () => {
    stand = await TwitchStandIn.start();
    proxy = await EgressProxy.start({ allow: [stand.origin.host] });
    lane = await proxy.open('stream');
    platform = new TwitchPlatform({ gqlUrl: stand.url, usherUrl: stand.url, now: Date.now, random: () => 0.5 });
  });
  beforeEach(() => {
    stand.mood = 'live';
  });
  afterAll(async () => {
    await proxy.stop();
    await stand.stop();
  });

  const resolve = (text: string): Promise<Playback> => platform.resolve(text, new AbortController().signal, lane);
  const segment = { body: Buffer.alloc(188, 0x47), durationMs: 1_000 };

  /** What a player gets from the lane's proxy. */
  function get(url: string): Promise<{ status: number; text: string }> {
    const { hostname, port } = new URL(lane.proxyUrl);
    return new Promise((done, failed) => {
      const outgoing = request({ hostname, port, path: url }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', failed);
        response.once('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
      });
      outgoing.once('error', failed);
      outgoing.end();
    });
  }

  it('asks as the site does and plays the best variant that is needed, below an address of its own', async () => {
    stand.air(Array(6).fill({ segment }));
    const playback = await resolve('https://www.twitch.tv/Somebody?tt=1');
    expect(playback).toMatchObject({ pace: 'live', container: 'hls', expiresAt: 1_900_000_000_000 });
    expect(playback.headers).toEqual({ referer: 'https://player.twitch.tv/', origin: 'https://player.twitch.tv' });
    expect(stand.asked.gql.at(-1)).toMatchObject({
      operationName: 'PlaybackAccessToken',
      variables: { login: 'somebody', isLive: true, playerType: 'embed' },
    });
    expect(stand.asked.clientIds.at(-1)).toBe('kimne78kx3ncx6brgo4mv6wki5h1ko');
    const query = Object.fromEntries(stand.asked.usher.at(-1) ?? []);
    expect(query).toMatchObject({ sig: 'a1b2', supported_codecs: 'h264', platform: 'web', p: '499999' });
    expect(JSON.parse(query.token ?? '')).toMatchObject({ channel: 'somebody' });
    const { status, text } = await get(playback.url);
    expect(status).toBe(200);
    expect(text.match(/\/segment\/\d\.ts/g)).toEqual([0, 1, 2, 3].map((index) => `/segment/${index}.ts`));
    expect(stand.origin.requests.at(-1)).toBe('/720p.m3u8');
  });

  it.each([
    'somebody',
    'twitch.tv/somebody',
    'https://m.twitch.tv/somebody/',
    'https://player.twitch.tv/?channel=somebody',
  ])('takes %p for a channel', async (text) => {
    await resolve(text);
    expect(stand.asked.gql.at(-1)).toMatchObject({ variables: { login: 'somebody' } });
  });

  it.each(['https://www.twitch.tv/', 'https://evil.test/somebody', 'https://twitch.tv.evil.test/x', 'a b', 'x/../y'])(
    'does not take %p for one',
    async (text) => {
      await expect(resolve(text)).rejects.toMatchObject({ reason: 'unsupported_scheme' });
    },
  );

  it.each<[TwitchMood, PlatformError['outcome'], PlatformError['reason']]>([
    ['offline', 'offline', 'offline'],
    ['not_transcoded', 'offline', 'offline'],
    ['fault', 'offline', 'unreachable'],
    ['integrity', 'challenge', 'challenge'],
    ['geo_blocked', 'geo_blocked', 'geo_blocked'],
    ['subscribers', 'auth_required', 'auth_required'],
    ['private', 'private', 'private'],
  ])('takes the answer %s for %s', async (mood, outcome, reason) => {
    stand.mood = mood;
    await expect(resolve('somebody')).rejects.toMatchObject({ outcome, reason });
  });

  it('names the external resolver when proof of a browser is wanted', async () => {
    stand.mood = 'integrity';
    await expect(resolve('somebody')).rejects.toThrow(/external resolver.*"streamlink"/);
  });

  it('tells an intermission while adverts come, and keeps the last of the stream in the playlist', async () => {
    const advert = { segment, advert: true };
    stand.air([
      ...Array<{ segment: typeof segment }>(4).fill({ segment }),
      ...Array<typeof advert>(4).fill(advert),
      { segment },
    ]);
    const playback = await resolve('somebody');
    const seen: [number, boolean | undefined][] = [];
    for (let round = 0; round < 6; round += 1) {
      const { text } = await get(playback.url);
      seen.push([text.match(/\.ts/g)?.length ?? 0, playback.intermission?.()]);
    }
    expect(seen).toEqual([
      [4, false],
      [4, true],
      [4, true],
      [4, true],
      [4, true],
      [5, false],
    ]);
  });

  it('passes on that the playlist is gone, and answers nothing else', async () => {
    stand.air(Array(6).fill({ segment }));
    const playback = await resolve('somebody');
    expect((await get(new URL('/other', playback.url).href)).status).toBe(404);
    expect((await get('http://aabbcc.vigil.invalid/live.m3u8')).status).toBe(502);
    stand.origin.text('/720p.m3u8', 'gone', 'text/plain', 403);
    expect((await get(playback.url)).status).toBe(403);
    expect(lane.lastFault()).toMatchObject({ reason: 'forbidden' });
    stand.origin.text('/720p.m3u8', '<html>');
    expect((await get(playback.url)).status).toBe(502);
    expect(lane.lastFault()).toMatchObject({ reason: 'not_a_stream' });
  });
});
