import { setTimeout as pause } from 'node:timers/promises';
import { EgressError } from '../../egress/egress-error.js';
import type { HouseAnswer, HousePage } from '../../egress/house-addresses.js';
import type { WayOut } from '../platform.port.js';
import { AdvertFilter } from './advert-filter.js';

/** What a feed is made of. */
export interface FeedSource {
  /** Address of the media playlist. */
  url: string;
  headers: Readonly<Record<string, string>>;
  lane: Pick<WayOut, 'fetch'>;
  now: () => number;
  /** Pause between two looks while there is nothing but adverts yet, ms. */
  pollMs?: number;
}

const PATH = '/live.m3u8';
const TYPE = 'application/vnd.apple.mpegurl';

/**
 * Answers a player's requests for a media playlist with the source's own, adverts cut out. The playlist is loaded
 * through the lane when the player asks for it; segments it fetches by itself, as ever.
 */
export class PlaylistFeed {
  private readonly filter: AdvertFilter;

  constructor(private readonly source: FeedSource) {
    this.filter = new AdvertFilter(source.now);
  }

  /** Path of the playlist below the origin that {@link answer} is served at. */
  readonly path = PATH;

  /** See `Playback.intermission`. */
  readonly intermission = (): boolean => this.filter.intermission();

  readonly answer: HouseAnswer = async (path, signal) => {
    if (path !== PATH) return page(404, '');
    const status = await this.load(signal);
    if (status !== 200) return page(status, '');
    return page(200, this.filter.render() ?? this.firstContent(signal));
  };

  /** @returns the status that the source answered with */
  private async load(signal: AbortSignal): Promise<number> {
    const { url, headers, lane } = this.source;
    const response = await lane.fetch(url, { headers, maxBytes: 2 ** 20, signal });
    if (response.status !== 200) return response.status;
    if (response.truncated || !this.filter.take(response.body.toString('utf8'), response.url)) {
      throw new EgressError('not_a_stream', 'The playlist of the stream cannot be read.');
    }
    return 200;
  }

  /**
   * Players give up on a playlist without segments, as one is that begins with a break. So it is begun and kept open,
   * a comment at a time, until there is something to play.
   */
  private async *firstContent(signal: AbortSignal): AsyncGenerator<string, void, void> {
    const head = '#EXTM3U\n';
    yield head;
    for (;;) {
      await pause(this.source.pollMs ?? 2_000, undefined, { signal });
      if ((await this.load(signal)) !== 200) return;
      const text = this.filter.render();
      if (text !== null) return yield text.slice(head.length);
      if (!this.filter.intermission()) return;
      yield '# adverts\n';
    }
  }
}

function page(status: number, body: HousePage['body']): HousePage {
  return { status, type: TYPE, body };
}
