import { io, type Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import type { TestApi } from '../test-api.fixture.js';

/** Longer than any test waits for something that comes. */
const PATIENCE_MS = 10_000;

/** Connected clients of a spec; for specs alone. */
export class SocketClients {
  private readonly open = new Set<Socket>();

  /** Starts to connect. */
  dial(
    api: TestApi,
    token: unknown,
    namespace: string = NAMESPACES.root,
    headers: Record<string, string> = {},
  ): Socket {
    const socket = io(api.url + namespace, {
      ...{ auth: { token }, transports: ['websocket'], reconnection: false, forceNew: true },
      extraHeaders: headers,
    });
    this.open.add(socket);
    return socket;
  }

  /** Resolves once connected. @throws the refusal. */
  async connect(...[api, token, namespace, headers]: Parameters<SocketClients['dial']>): Promise<Socket> {
    const socket = this.dial(api, token, namespace, headers);
    await happens<void>((done, failed) => {
      socket.once('connect', () => {
        done();
      });
      socket.once('connect_error', failed);
    });
    return socket;
  }

  closeAll(): void {
    for (const socket of this.open) socket.disconnect();
    this.open.clear();
  }
}

/** Resolves with what comes. @throws when nothing comes for a long time. */
export function happens<T>(listen: (done: (value: T) => void, failed: (error: Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('did not happen in time'));
    }, PATIENCE_MS);
    const end =
      <Value>(settle: (value: Value) => void) =>
      (value: Value): void => {
        clearTimeout(timer);
        settle(value);
      };
    listen(end(resolve), end(reject));
  });
}

/** Resolves once it holds. @throws when it does not for a long time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('did not come to hold in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
