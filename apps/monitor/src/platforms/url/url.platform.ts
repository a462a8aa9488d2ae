import { access } from 'node:fs/promises';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { FetchedResponse } from '../../egress/egress-fetch.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { answered } from '../site-answer.js';
import { sniff } from './media-sniff.js';

/** Schemes that do not pass the egress proxy, and the port that each means when it names none (0: must name one). */
const DIRECT_PORTS: Readonly<Record<string, number>> = {
  'rtmp:': 1935,
  'rtmps:': 443,
  'rtsp:': 554,
  'rtsps:': 322,
  'srt:': 0,
};

/** Options that ffmpeg reads out of the query of such a url and that cannot turn a caller into a listener or a sender. */
const SRT_OPTIONS = new Set(['streamid', 'passphrase', 'pbkeylen', 'latency', 'mode']);
const RTSP_SWITCHES = /[?&](udp|multicast|http|https|tcp|satip_raw|listen)(?=&|$)/i;

/** Plays a stream whose address the operator knows: HLS, DASH or plain http(s), RTMP, RTSP, SRT. */
export class UrlPlatform implements Platform {
  /** So that a stream plays within 15 s of its server's healing: this, a try that was under way, and the first frame. */
  readonly longestWaitMs = 8_000;
  readonly descriptor: AdapterDescriptor = { id: 'url', title: 'Stream address', options: {} };

  /** @param ownerOf the platform whose page an address is, null when it is none's */
  constructor(
    private readonly allowFiles: boolean,
    private readonly ownerOf: (address: string) => string | null = () => null,
  ) {}

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    if (!URL.canParse(text) || /[\0-\x20\x7f]/.test(text)) {
      throw new PlatformError('changed', 'unsupported_scheme', 'The stream address is not a valid url.');
    }
    const url = new URL(text);
    const owner = this.ownerOf(text);
    if (owner !== null) {
      throw new PlatformError('changed', 'not_a_stream', `That is a page of ${owner}: choose the platform "${owner}".`);
    }
    if (url.protocol === 'http:' || url.protocol === 'https:') return this.resolveHttp(text, signal, lane);
    if (url.protocol === 'file:') return this.resolveFile(url);
    const port = DIRECT_PORTS[url.protocol];
    if (port === undefined) throw unsupported(`${url.protocol} addresses cannot be watched`);
    return this.resolveDirect(url, port, lane);
  }

  private async resolveHttp(url: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const response = await answered(lane.fetch(url, { signal }), signal);
    assertGood(response);
    const { container, targetDurationMs } = sniff(response.body, response.headers['content-type'] ?? '');
    if (container === 'none') {
      const type = (response.headers['content-type'] ?? 'unknown type').split(';')[0]?.slice(0, 60) ?? '';
      throw new PlatformError('changed', 'not_a_stream', `The address answers with ${type}, which is no video stream.`);
    }
    return { ...live(url), container, ...(targetDurationMs === undefined ? {} : { targetDurationMs }) };
  }

  private async resolveFile(url: URL): Promise<Playback> {
    if (!this.allowFiles || url.host !== '') throw unsupported('Files cannot be watched; ALLOW_FILES permits them');
    try {
      await access(url);
    } catch (error) {
      throw new PlatformError('gone', 'not_found', 'There is no such file.', { cause: error });
    }
    return { ...live(url.href), pace: 'file' };
  }

  /**
   * The url names the checked address instead of the host, so that ffmpeg cannot be led elsewhere. The TLS schemes
   * keep the name, which their certificate is for: there the name is checked, but ffmpeg resolves it once more.
   */
  private async resolveDirect(url: URL, defaultPort: number, lane: WayOut): Promise<Playback> {
    const port = url.port === '' ? defaultPort : Number(url.port);
    if (url.hostname === '' || port === 0) throw unsupported('The address needs a host and a port');
    assertPlainOptions(url);
    const address = await answered(lane.pin(url.hostname, port));
    if (url.protocol === 'rtmps:' || url.protocol === 'rtsps:') return live(url.href);
    const pinned = new URL(url.href);
    pinned.hostname = address.includes(':') ? `[${address}]` : address;
    return live(pinned.href);
  }
}

function live(url: string): Playback {
  return { url, headers: {}, pace: 'live', expiresAt: null };
}

function unsupported(what: string): PlatformError {
  return new PlatformError('blocked', 'unsupported_scheme', `${what}.`);
}

function assertPlainOptions(url: URL): void {
  const bad =
    url.protocol === 'srt:'
      ? [...url.searchParams].some(([name, value]) => !SRT_OPTIONS.has(name) || (name === 'mode' && value !== 'caller'))
      : RTSP_SWITCHES.test(url.search);
  if (bad) throw unsupported('The address has options that are not allowed');
}

function assertGood(response: FetchedResponse): void {
  const { status } = response;
  const said = `The server answered ${status}.`;
  if (status === 404 || status === 410) throw new PlatformError('gone', 'not_found', said);
  if (status === 401 || status === 403 || status === 451) throw new PlatformError('blocked', 'forbidden', said);
  if (status >= 400 || status < 200) throw new PlatformError('offline', 'unreachable', said);
  if (status >= 300) throw new PlatformError('changed', 'not_a_stream', said);
}
