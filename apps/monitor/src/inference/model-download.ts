import { createHash } from 'node:crypto';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { writeAtomically, type FileIdentity } from './model-file.js';

/** Fetches a url; the monitor passes one that keeps to its egress rules. */
export type Fetch = (url: string, init: { signal: AbortSignal }) => Promise<Response>;

export interface DownloadOptions {
  url: string;
  /** Where the file goes. */
  path: string;
  expected: FileIdentity;
  fetch: Fetch;
  /** For the whole transfer. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * Downloads a file whose size and hash are known. Reads no byte more than expected; nothing is left at `path` unless
 * all of it is right.
 * @throws AppError `model.download_failed`; AbortError when `signal` is aborted
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, path, expected, timeoutMs, signal } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  const limit = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    const response = await options.fetch(url, { signal: limit });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status}`);
    }
    await writeAtomically(path, verified(response.body, expected, options.onProgress));
  } catch (error) {
    signal?.throwIfAborted();
    const reason = deadline.aborted ? `it took more than ${timeoutMs} ms` : causeOf(error);
    const sentence = `${url} could not be downloaded: ${reason}. Put the file there by hand: ${path}`;
    throw new AppError('model.download_failed', 'operational', sentence, { url, path }, { cause: error });
  }
}

async function* verified(
  body: AsyncIterable<Uint8Array>,
  expected: FileIdentity,
  onProgress: DownloadOptions['onProgress'],
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > expected.size) throw new Error(`it is longer than the expected ${expected.size} bytes`);
    hash.update(chunk);
    onProgress?.(size, expected.size);
    yield chunk;
  }
  if (size < expected.size) throw new Error(`it ended after ${size} of ${expected.size} bytes`);
  const sha256 = hash.digest('hex');
  if (sha256 !== expected.sha256) throw new Error(`expected sha256 ${expected.sha256}, got ${sha256}`);
}

/** `fetch failed` alone says nothing: the reason is in the cause. */
function causeOf(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)} (${messageOf(cause)})`;
}
