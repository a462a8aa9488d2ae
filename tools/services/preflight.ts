import { mkdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { AppError } from '#libs/errors/app-error.js';
import { errorCode } from './error-code.js';

/** Less free space than this is too little to start with, in bytes. */
export const LEAST_FREE_BYTES = 500 * 1024 * 1024;

/** A port that is free on loopback at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

/**
 * Makes sure that a port can be listened on; port 0 always can.
 * @throws AppError `port.busy`, `port.unusable`, naming the setting to change.
 */
export async function checkPort(host: string, port: number, setting: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EADDRINUSE') {
      throw new AppError(
        'port.busy',
        'user',
        `Port ${port} on ${host} is in use: stop what uses it, or set ${setting} to another port.`,
      );
    }
    throw new AppError(
      'port.unusable',
      'user',
      `Port ${port} on ${host} cannot be used (${code}): set ${setting} to another port, or correct the host.`,
    );
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
}

/** Free bytes of the disk that holds a directory. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/**
 * Makes a directory for state, and makes sure that it can be written to and that its disk has room.
 * @throws AppError `disk.read_only`, `disk.full`
 */
export async function prepareStateDirectory(
  directory: string,
  free: (directory: string) => Promise<number> = freeBytes,
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOSPC') throw fullDisk(directory, 0);
    throw new AppError(
      'disk.read_only',
      'user',
      `Cannot write to ${directory} (${code}): make it writable for this user.`,
    );
  }
  const bytes = await free(directory);
  if (bytes < LEAST_FREE_BYTES) throw fullDisk(directory, bytes);
}

function fullDisk(directory: string, bytes: number): AppError {
  const megabytes = (count: number): number => Math.floor(count / 1024 / 1024);
  return new AppError(
    'disk.full',
    'operational',
    `The disk that holds ${directory} has ${megabytes(bytes)} MB left, at least ${megabytes(LEAST_FREE_BYTES)} MB are needed: free some space, then start again.`,
  );
}
