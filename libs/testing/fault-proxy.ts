import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How bytes travel in both directions; what is left out is as good as a loopback has it. */
interface Weather {
  /** Each byte arrives so much later, ms. */
  latencyMs?: number;
  /** No more than so many bytes a second, each way of each connection. */
  bytesPerSecond?: number;
  /** Nothing arrives and nobody is told; what was on its way arrives when it ends, as TCP would have it. */
  blackHole?: boolean;
  /** New connections are ended at once. */
  refuse?: boolean;
}

/** Bytes under way in one direction at most; more stay with their sender. */
const MOST_UNDER_WAY = 1_048_576;
/** How often a throttled direction gives a little, ms. */
const SLICE_MS = 20;

/** A TCP proxy on loopback that does to connections what networks do. */
export class FaultProxy {
  /** Connections that were made to it. */
  accepted = 0;
  private readonly links = new Set<Link>();
  private weather: Weather = {};
  private lifted = Promise.resolve();
  private lift: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {}

  /** Listens on a free port and passes everything on to `target`. */
  static async start(target: { host: string; port: number }): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new FaultProxy(server, target);
    server.on('connection', (client) => proxy.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open right now. */
  get open(): number {
    return this.links.size;
  }

  /** A url of the target with this proxy's host and port in it. */
  urlFor(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.href;
  }

  /** Changes how bytes travel from now on; `{}` mends everything that {@link halfOpen} and {@link cut} did not end. */
  set(weather: Weather): void {
    this.weather = weather;
    this.lift();
    if (weather.blackHole === true) this.lifted = new Promise((resolve) => (this.lift = resolve));
  }

  /** Ends every connection with a reset, as a router that restarts does. */
  cut(): void {
    for (const { client, upstream } of this.links) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  /** The far ends are gone and the near ends are not told: what they send is swallowed. */
  halfOpen(): void {
    for (const link of this.links) {
      link.swallows = true;
      link.upstream.destroy();
    }
  }

  async stop(): Promise<void> {
    this.set({});
    for (const { client, upstream } of this.links) {
      client.destroy();
      upstream.destroy();
    }
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    this.accepted += 1;
    client.on('error', () => undefined);
    if (this.weather.refuse === true) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.target, allowHalfOpen: true });
    const link: Link = { client, upstream, swallows: false };
    this.links.add(link);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', (failed) => {
        const other = socket === client ? upstream : client;
        if (other.destroyed) this.links.delete(link);
        else if (failed && !link.swallows) other.destroy();
      });
    }
    this.carry(link, client, upstream);
    this.carry(link, upstream, client);
  }

  /** Carries one direction in order, each piece with the delay of the moment at which it set out. */
  private carry(link: Link, from: Socket, to: Socket): void {
    let underWay = 0;
    let tail = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      if (link.swallows) return;
      const dueAt = performance.now() + (this.weather.latencyMs ?? 0);
      underWay += chunk.length;
      tail = tail.then(async () => {
        await this.deliver(chunk, to, dueAt);
        underWay -= chunk.length;
        if (underWay <= MOST_UNDER_WAY) from.resume();
      });
      if (underWay > MOST_UNDER_WAY) from.pause();
    });
    from.once('end', () => void tail.then(() => link.swallows || to.end()));
  }

  private async deliver(chunk: Buffer, to: Socket, dueAt: number): Promise<void> {
    const wait = dueAt - performance.now();
    if (wait > 0) await sleep(wait);
    for (let at = 0; at < chunk.length && !to.destroyed;) {
      await this.lifted;
      const { bytesPerSecond } = this.weather;
      const size = bytesPerSecond === undefined ? chunk.length : Math.ceil((bytesPerSecond * SLICE_MS) / 1_000);
      if (bytesPerSecond !== undefined) await sleep(SLICE_MS);
      if (!to.write(chunk.subarray(at, at + size)) && !to.destroyed) {
        await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve));
      }
      at += size;
    }
  }
}

/** A connection and the one that carries it on. */
interface Link {
  client: Socket;
  upstream: Socket;
  /** What the client sends goes nowhere. */
  swallows: boolean;
}
