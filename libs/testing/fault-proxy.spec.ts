import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from './fault-proxy.js';

describe('FaultProxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  const clients: Socket[] = [];
  /** Connections of the far end. */
  const far = new Set<Socket>();

  beforeEach(async () => {
    server = createServer((socket) => {
      far.add(socket);
      socket.on('error', () => undefined).on('close', () => far.delete(socket));
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await FaultProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.stop();
    for (const socket of far) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function dial(): Promise<Socket> {
    const client = connect({ host: '127.0.0.1', port: proxy.port });
    client.on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
    return client;
  }

  /** Sends a text and waits until as much came back. @returns how long that took, ms. */
  async function echo(client: Socket, text: string): Promise<number> {
    const from = performance.now();
    let back = '';
    const done = new Promise<void>((resolve, reject) => {
      client.on('data', (chunk: Buffer) => {
        back += chunk.toString();
        if (back.length >= text.length) resolve();
      });
      client.once('close', () => reject(new Error('closed')));
    });
    client.write(text);
    await done;
    client.removeAllListeners('data');
    expect(back).toBe(text);
    return performance.now() - from;
  }

  const closed = (client: Socket): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));
  const heard = (client: Socket): (() => number) => {
    let bytes = 0;
    client.on('data', (chunk: Buffer) => (bytes += chunk.length));
    return () => bytes;
  };

  it('passes bytes both ways, a close included, however many they are', async () => {
    const client = await dial();
    await echo(client, 'x'.repeat(3_000_000));
    client.end();
    await closed(client);
    expect(proxy.accepted).toBe(1);
    while (proxy.open > 0) await sleep(5);
  });

  it('delays each direction, and keeps the order', async () => {
    const client = await dial();
    proxy.set({ latencyMs: 100 });
    const text = Array.from({ length: 2_000 }, (_, index) => String(index)).join(' ');
    expect(await echo(client, text)).toBeGreaterThanOrEqual(195);
  });

  it('throttles', async () => {
    const client = await dial();
    proxy.set({ bytesPerSecond: 10_000 });
    expect(await echo(client, 'x'.repeat(3_000))).toBeGreaterThan(280);
  });

  it('cuts what is open, and lets new connections pass', async () => {
    const client = await dial();
    await echo(client, 'a');
    proxy.cut();
    await closed(client);
    await echo(await dial(), 'b');
  });

  it('refuses', async () => {
    proxy.set({ refuse: true });
    const client = connect({ host: '127.0.0.1', port: proxy.port });
    client.on('error', () => undefined);
    await closed(client);
    proxy.set({});
    await echo(await dial(), 'b');
  });

  it('swallows everything in a black hole, new connections too, and gives it back when it ends', async () => {
    const client = await dial();
    await echo(client, 'a');
    proxy.set({ blackHole: true });
    const late = await dial();
    const bytes = [heard(client), heard(late)];
    client.write('bc');
    late.write('def');
    await sleep(150);
    expect(bytes.map((count) => count())).toEqual([0, 0]);
    expect(client.destroyed || late.destroyed).toBe(false);
    proxy.set({});
    while (bytes.reduce((sum, count) => sum + count(), 0) < 5) await sleep(5);
    expect(bytes.map((count) => count())).toEqual([2, 3]);
  });

  it('leaves the near end open when the far one is gone, and says nothing of it', async () => {
    const client = await dial();
    await echo(client, 'a');
    proxy.halfOpen();
    while (far.size > 0) await sleep(5);
    const bytes = heard(client);
    client.write('anybody there?');
    await sleep(150);
    expect(bytes()).toBe(0);
    expect(client.destroyed).toBe(false);
  });
});
