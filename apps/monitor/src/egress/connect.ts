import { connect, type Socket } from 'node:net';
import { messageOf } from '#libs/errors/app-error.js';
import { EgressError } from './egress-error.js';

/**
 * Opens a connection to the first of several checked addresses that answers.
 * @throws EgressError `unreachable`
 */
export async function connectTo(
  addresses: readonly string[],
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  let last: unknown = null;
  for (const address of addresses.slice(0, 4)) {
    if (signal.aborted) break;
    try {
      return await open(address, port, timeoutMs, signal);
    } catch (error) {
      last = error;
    }
  }
  throw new EgressError('unreachable', `The server cannot be reached (${messageOf(last)}).`, { cause: last });
}

function open(address: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const finish = (error: Error | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', finish);
      if (error === null) resolve(socket);
      else {
        socket.on('error', () => undefined).destroy();
        reject(error);
      }
    };
    const onAbort = (): void => finish(new Error('aborted'));
    const timer = setTimeout(() => finish(new Error('connect timed out')), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', finish);
    socket.once('connect', () => finish(null));
  });
}
