import type { FetchedResponse } from '../../egress/egress-fetch.js';
import { PlaylistFeed } from './playlist-feed.js';

const HEAD = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n';

/** A feed whose source answers with these playlists, one after the other; the last one stays. */
function feed(loads: readonly string[], now = () => 0): { feed: PlaylistFeed; asked: () => number } {
  let asked = 0;
  const fetch = (url: string): Promise<FetchedResponse> => {
    const body = Buffer.from(loads[Math.min(asked, loads.length - 1)] ?? '');
    asked += 1;
    return Promise.resolve({ status: body.length === 0 ? 404 : 200, headers: {}, url, body, truncated: false });
  };
  const source = { url: 'https://edge.test/a.m3u8', headers: {}, lane: { fetch }, now, pollMs: 1 };
  return { feed: new PlaylistFeed(source), asked: () => asked };
}

function adverts(from: number): string {
  return `${HEAD}#EXT-X-MEDIA-SEQUENCE:${from}\n#EXTINF:1,Amazon\n${from}.ts\n`;
}

async function read(pieces: string | AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

describe('PlaylistFeed', () => {
  it('begins the playlist and keeps it open until there is something to play', async () => {
    const { feed: it } = feed([adverts(0), adverts(1), adverts(2), `${adverts(3)}#EXTINF:1,live\n4.ts\n`]);
    const { status, body } = await it.answer(it.path, new AbortController().signal);
    expect(status).toBe(200);
    const text = await read(body);
    expect(text).toMatch(/^#EXTM3U\n# adverts\n# adverts\n#EXT-X-VERSION/);
    expect(text.match(/^https.*/gm)).toEqual(['https://edge.test/4.ts']);
  });

  it('ends the wait when the source is gone, and when it stands still', async () => {
    const { feed: gone } = feed([adverts(0), '']);
    expect(await read((await gone.answer(gone.path, new AbortController().signal)).body)).toBe('#EXTM3U\n');
    let time = 0;
    const { feed: still } = feed([adverts(0)], () => (time += 10_000));
    expect(await read((await still.answer(still.path, new AbortController().signal)).body)).toMatch(
      /^#EXTM3U\n(# adverts\n)*$/,
    );
  });

  it('asks the source no more once the player has gone', async () => {
    const player = new AbortController();
    const { feed: it, asked } = feed([adverts(0), adverts(1)]);
    const { body } = await it.answer(it.path, player.signal);
    player.abort();
    const before = asked();
    await expect(read(body)).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked()).toBe(before);
  });
});
