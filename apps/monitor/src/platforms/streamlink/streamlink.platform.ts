import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { expiryOf } from '../expiry.js';
import type { Platform, Playback, WayOut } from '../platform.port.js';
import { complaintOf, pageFor, PlayerHeaders, WebAddress } from '../resolver-answer.js';
import { ResolverProgram, type ResolverLimits } from '../resolver-process.js';
import { parseAnswer } from '../site-answer.js';

const NAME = 'streamlink';
const INSTALL = 'pip install streamlink';

const Answer = z.union([
  z.object({ error: z.string() }),
  z.object({ type: z.string(), url: WebAddress, headers: PlayerHeaders.default({}) }),
]);

/** Whatever streamlink (6 or newer) resolves, where it is installed. Its requests pass the lane's proxy. */
export class StreamlinkPlatform implements Platform {
  private readonly program: ResolverProgram;

  constructor(path = NAME, limits?: ResolverLimits) {
    this.program = new ResolverProgram(path, INSTALL, limits);
  }

  get descriptor(): AdapterDescriptor {
    return {
      id: 'streamlink',
      title: 'Streamlink',
      options: { installed: this.program.installed(), install: INSTALL },
    };
  }

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const page = pageFor(text, NAME);
    const args = [
      ...['--no-config', '--json', '--loglevel', 'none', '--http-timeout', '15'],
      // A browser's requests would not pass the lane.
      ...['--webbrowser', 'no', '--http-proxy', lane.proxyUrl, '--', page, 'best'],
    ];
    const { exitCode, stdout, stderr } = await this.program.run(args, signal);
    if (stdout.length === 0 && exitCode !== 0) throw complaintOf(stderr, NAME);
    const answer = parseAnswer({ body: stdout, truncated: false }, Answer, NAME);
    if ('error' in answer) throw complaintOf(answer.error, NAME);
    const container = answer.type === 'hls' || answer.type === 'dash' ? answer.type : 'other';
    const { url, headers } = answer;
    return { url, headers, pace: 'live', container, expiresAt: expiryOf(url) };
  }
}
