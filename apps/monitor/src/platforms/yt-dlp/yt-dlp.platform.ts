import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { expiryOf } from '../expiry.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { complaintOf, pageFor, PlayerHeaders, WebAddress } from '../resolver-answer.js';
import { ResolverProgram, type ResolverLimits } from '../resolver-process.js';
import { parseAnswer } from '../site-answer.js';

const NAME = 'yt-dlp';
const INSTALL = 'pip install yt-dlp';

const Answer = z.object({
  url: WebAddress,
  manifest_url: WebAddress.nullish(),
  protocol: z.string().nullish(),
  http_headers: PlayerHeaders.nullish(),
  is_live: z.boolean().nullish(),
});

/** Whatever yt-dlp resolves, where it is installed. Its requests pass the lane's proxy. */
export class YtDlpPlatform implements Platform {
  private readonly program: ResolverProgram;

  constructor(path = NAME, limits?: ResolverLimits) {
    this.program = new ResolverProgram(path, INSTALL, limits);
  }

  get descriptor(): AdapterDescriptor {
    return { id: 'yt-dlp', title: 'yt-dlp', options: { installed: this.program.installed(), install: INSTALL } };
  }

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const page = pageFor(text, NAME);
    const args = [
      ...['--ignore-config', '--no-cache-dir', '--no-warnings', '--no-playlist', '--socket-timeout', '15'],
      // Both kinds in one address: ffmpeg opens one input.
      ...['--dump-single-json', '--format', 'best[protocol^=m3u8]/best', '--proxy', lane.proxyUrl, '--', page],
    ];
    const { exitCode, stdout, stderr } = await this.program.run(args, signal);
    if (exitCode !== 0) throw complaintOf(stderr, NAME);
    const answer = parseAnswer({ body: stdout, truncated: false }, Answer, NAME);
    if (answer.is_live === false) throw PlatformError.of('offline', 'That is a recording; nothing is live there now.');
    const dash = answer.protocol === 'http_dash_segments';
    const container = dash ? 'dash' : answer.protocol?.startsWith('m3u8') === true ? 'hls' : 'other';
    const url = dash ? (answer.manifest_url ?? answer.url) : answer.url;
    return { url, headers: answer.http_headers ?? {}, pace: 'live', container, expiresAt: expiryOf(url) };
  }
}
