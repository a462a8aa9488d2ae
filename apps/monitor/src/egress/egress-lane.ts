import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import type { StatusReason } from '#libs/contracts/primitives.js';
import { messageOf } from '#libs/errors/app-error.js';
import { BodyMeter } from './body-meter.js';
import type { DestinationRules } from './destinations.js';
import { EgressError, type EgressFault } from './egress-error.js';
import { fetchThrough, type FetchInit, type FetchedResponse } from './egress-fetch.js';
import { HouseAddresses, type HouseAnswer } from './house-addresses.js';
import { assertNotCompressed, assertWebRedirect, basicAuth, endToEndHeaders, portOf } from './http-message.js';
import type { EgressStats, LaneBudget } from './lane-budget.js';
import type { Route } from './route.js';

/**
 * The way out of one stream: an HTTP proxy (forward and CONNECT) on a loopback port of its own, so that what is spent
 * and what fails is known per stream. Every request is resolved, checked and pinned anew, redirects included, for a
 * player follows them through here.
 */
export class EgressLane {
  private readonly server: Server;
  private readonly connections = new Set<Duplex>();
  private readonly closing = new AbortController();
  private readonly house = new HouseAddresses();
  private fault: EgressFault | null = null;

  private constructor(
    readonly streamId: string,
    private readonly destinations: DestinationRules,
    private readonly budget: LaneBudget,
    private readonly route: Route,
    private readonly ca: string | undefined,
    private readonly now: () => number,
    private readonly onClose: (lane: EgressLane) => void,
  ) {
    const { headerBytes, idleTimeoutMs } = budget.limits;
    this.server = createServer({ maxHeaderSize: headerBytes, headersTimeout: 10_000, requestTimeout: 10_000 });
    this.server.keepAliveTimeout = idleTimeoutMs;
    this.server.on('connection', (socket: Socket) => this.own(socket));
    this.server.on(
      'request',
      (incoming: IncomingMessage, outgoing: ServerResponse) => void this.forward(incoming, outgoing),
    );
    this.server.on('connect', (incoming: IncomingMessage, client: Duplex) => void this.tunnel(incoming, client));
    this.server.on('upgrade', (_incoming: IncomingMessage, client: Duplex) => client.destroy());
    this.server.on('clientError', (_error: Error, client: Duplex) => client.destroy());
  }

  /** Starts to listen. Use `EgressProxy.open`. */
  static async listen(
    streamId: string,
    destinations: DestinationRules,
    budget: LaneBudget,
    { route, ca }: { route: Route; ca: string | undefined },
    now: () => number,
    onClose: (lane: EgressLane) => void,
  ): Promise<EgressLane> {
    const lane = new EgressLane(streamId, destinations, budget, route, ca, now, onClose);
    await new Promise<void>((resolve, reject) => {
      lane.server.once('error', reject);
      lane.server.listen(0, '127.0.0.1', resolve);
    });
    return lane;
  }

  /** For ffmpeg's `-http_proxy`. */
  get proxyUrl(): string {
    const address = this.server.address() as AddressInfo | null;
    return `http://127.0.0.1:${address?.port ?? 0}`;
  }

  /** Whether it goes out through the upstream proxies. */
  get proxied(): boolean {
    return this.route.proxied;
  }

  get stats(): Readonly<EgressStats> {
    return this.budget.stats;
  }

  /** The newest thing that went wrong; null when nothing did. */
  lastFault(): EgressFault | null {
    return this.fault;
  }

  /**
   * A GET, or a POST with a body, within the lane's rules and budgets, for resolvers and probes. Follows at most five
   * redirects of a GET, each checked.
   * @throws EgressError
   */
  async fetch(url: string, init: FetchInit = {}): Promise<FetchedResponse> {
    try {
      return await fetchThrough(url, init, {
        destinations: this.destinations,
        budget: this.budget,
        route: this.route,
        ...(this.ca === undefined ? {} : { ca: this.ca }),
        closing: this.closing.signal,
      });
    } catch (error) {
      throw this.failed(error);
    }
  }

  /**
   * Checks a host that is reached without this proxy (RTMP, RTSP, SRT) and gives the address to use for it.
   * @throws EgressError `unknown_host`, `refused_address`; `unsupported_scheme` when the lane goes through upstream
   *   proxies, which must not be passed by
   */
  async pin(host: string, port: number): Promise<string> {
    try {
      if (this.route.proxied) {
        throw new EgressError(
          'unsupported_scheme',
          'Only http and https go through the proxies; take the platform out of PROXY_PLATFORMS to watch this address.',
        );
      }
      const [address] = await this.destinations.of(host, port);
      if (address === undefined) throw new EgressError('unknown_host', `The host name ${host} has no address.`);
      return address;
    } catch (error) {
      throw this.failed(error);
    }
  }

  /**
   * Has requests of the player answered in this process, without any connection out. Gives the origin to put in front
   * of a path; it is known to nobody else, and valid until the lane closes or four newer ones were asked for.
   */
  serve(answer: HouseAnswer): string {
    return this.house.add(answer);
  }

  /** Ends every connection and stops to listen. */
  async close(): Promise<void> {
    this.closing.abort();
    this.route.close();
    for (const connection of this.connections) connection.destroy();
    this.onClose(this);
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on('error', () => undefined);
    try {
      const url = targetOf(incoming);
      this.budget.request(this.connections.size);
      if (this.house.owns(url)) {
        this.noteStatus(await this.house.answer(url, outgoing, this.budget, this.closing.signal));
        return;
      }
      const addresses = await this.destinations.of(url.hostname, portOf(url));
      const socket = this.own(await this.connect(addresses, portOf(url)));
      if (outgoing.destroyed) {
        socket.destroy();
        return;
      }
      outgoing.once('close', () => socket.destroy());
      const response = await this.exchange(url, incoming, socket);
      this.noteStatus(response.statusCode ?? 502);
      outgoing.writeHead(response.statusCode ?? 502, { ...endToEndHeaders(response.headers), connection: 'close' });
      pipeline(response, new BodyMeter(this.budget, true), outgoing, (error) => {
        if (error instanceof EgressError) this.failed(error);
        socket.destroy();
      });
    } catch (error) {
      const { reason, message } = this.failed(error);
      if (outgoing.headersSent) outgoing.destroy();
      else {
        const status = reason === 'budget_exceeded' ? 429 : reason === 'refused_address' ? 403 : 502;
        outgoing.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${message}\n`);
      }
    }
  }

  private async exchange(url: URL, incoming: IncomingMessage, socket: Socket): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request({
        createConnection: () => socket,
        method: incoming.method,
        path: `${url.pathname}${url.search}`,
        headers: {
          ...endToEndHeaders(incoming.headers),
          ...basicAuth(url),
          host: url.host,
          'accept-encoding': 'identity',
          connection: 'close',
        },
        maxHeaderSize: this.budget.limits.headerBytes,
      });
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
      outgoing.end();
    });
    assertNotCompressed(response);
    assertWebRedirect(response, url);
    return response;
  }

  private async tunnel(incoming: IncomingMessage, client: Duplex): Promise<void> {
    client.on('error', () => undefined);
    try {
      const { host, port } = tunnelTarget(incoming.url ?? '');
      this.budget.request(this.connections.size);
      const socket = this.own(await this.connect(await this.destinations.of(host, port), port));
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      pipeline(client, socket, () => socket.destroy());
      pipeline(socket, new BodyMeter(this.budget, false), client, () => {
        client.destroy();
        socket.destroy();
      });
    } catch (error) {
      const { reason } = this.failed(error);
      const status =
        reason === 'budget_exceeded'
          ? '429 Too Many Requests'
          : reason === 'refused_address'
            ? '403 Forbidden'
            : '502 Bad Gateway';
      client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    }
  }

  private async connect(addresses: readonly string[], port: number): Promise<Socket> {
    const { connectTimeoutMs, idleTimeoutMs } = this.budget.limits;
    const socket = await this.route.connect(addresses, port, connectTimeoutMs, this.closing.signal);
    socket.setTimeout(idleTimeoutMs, () => {
      socket.destroy(new EgressError('stalled', `The server sent nothing for ${idleTimeoutMs / 1_000} s.`));
    });
    return socket;
  }

  private own<Connection extends Duplex>(connection: Connection): Connection {
    this.connections.add(connection);
    connection.on('error', (error: unknown) => {
      if (error instanceof EgressError) this.failed(error);
    });
    connection.once('close', () => this.connections.delete(connection));
    return connection;
  }

  private noteStatus(status: number): void {
    const reason = reasonOfStatus(status);
    if (reason !== null) this.fault = { reason, detail: `The server answered ${status}.`, at: this.now() };
  }

  private failed(error: unknown): EgressError {
    const fault =
      error instanceof EgressError
        ? error
        : new EgressError('unreachable', `The connection failed (${messageOf(error)}).`);
    if (fault.reason === 'refused_address' || fault.reason === 'budget_exceeded') this.budget.refused();
    if (!this.closing.signal.aborted) this.fault = { reason: fault.reason, detail: fault.message, at: this.now() };
    return fault;
  }
}

/** What an HTTP status means for a stream; null when it is no failure. */
export function reasonOfStatus(status: number): StatusReason | null {
  if (status === 404 || status === 410) return 'not_found';
  if (status === 401 || status === 403 || status === 451) return 'forbidden';
  return status >= 400 ? 'unreachable' : null;
}

function targetOf(incoming: IncomingMessage): URL {
  const target = incoming.url ?? '';
  if (!URL.canParse(target)) throw new EgressError('refused_address', 'Only requests for a whole url are forwarded.');
  const url = new URL(target);
  if (url.protocol !== 'http:') throw new EgressError('refused_address', `${url.protocol} urls are not forwarded.`);
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
    throw new EgressError('refused_address', `${incoming.method ?? ''} requests are not forwarded.`);
  }
  return url;
}

function tunnelTarget(target: string): { host: string; port: number } {
  const [, host, port] = /^(\[[^\]]{1,64}\]|[^:[\]/@\s]{1,253}):(\d{1,5})$/.exec(target) ?? [];
  if (host === undefined || port === undefined)
    throw new EgressError('refused_address', 'The tunnel has no valid target.');
  // The URL parser turns every spelling of an IPv4 address (octal, hex, one number) into the usual one.
  if (!URL.canParse(`http://${host}/`)) throw new EgressError('refused_address', 'The tunnel has no valid host.');
  return { host: new URL(`http://${host}/`).hostname, port: Number(port) };
}
