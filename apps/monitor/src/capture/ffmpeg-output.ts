import { AppError } from '#libs/errors/app-error.js';

/** Chunks as a pipe delivers them. Reading stops when the consumer does: that is the back pressure on ffmpeg. */
export type ByteSource = AsyncIterable<Uint8Array>;

/** Takes as many bytes from a stream as are asked for. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private chunk: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  /** Fills `target`. @returns false when the stream ends before that */
  async fill(target: Uint8Array): Promise<boolean> {
    for (let filled = 0; ;) {
      const taken = this.chunk.subarray(0, target.length - filled);
      target.set(taken, filled);
      this.chunk = this.chunk.subarray(taken.length);
      filled += taken.length;
      if (filled === target.length) return true;
      const next = await this.chunks.next();
      if (next.done === true) return false;
      this.chunk = next.value;
    }
  }
}

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD = 1_024;

/**
 * Bodies of a `multipart/x-mixed-replace` stream as ffmpeg's `mpjpeg` muxer writes it, each part with its length.
 * @throws AppError `capture.broken_output` when a head is not understood or a part is longer than `maxBytes`.
 */
export async function* multipartBodies(source: ByteSource, maxBytes: number): AsyncGenerator<Buffer, void, void> {
  let head = Buffer.alloc(0);
  let body: Buffer | null = null;
  let filled = 0;
  for await (const chunk of source) {
    let rest: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    while (rest.length > 0) {
      if (body === null) {
        const before = head.length;
        head = Buffer.concat([head, rest.subarray(0, MAX_HEAD)]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) {
          if (head.length >= MAX_HEAD) throw brokenOutput('a part without a head');
          rest = rest.subarray(MAX_HEAD);
          continue;
        }
        body = Buffer.allocUnsafe(lengthOf(head.toString('latin1', 0, end), maxBytes));
        filled = 0;
        rest = rest.subarray(end + HEAD_END.length - before);
        head = Buffer.alloc(0);
      }
      const taken = Math.min(body.length - filled, rest.length);
      body.set(rest.subarray(0, taken), filled);
      filled += taken;
      rest = rest.subarray(taken);
      if (filled === body.length) {
        yield body;
        body = null;
      }
    }
  }
}

function lengthOf(head: string, maxBytes: number): number {
  const length = Number(/^content-length: ?(\d{1,10})$/im.exec(head)?.[1] ?? Number.NaN);
  if (!Number.isInteger(length) || length < 1) throw brokenOutput('a part without a length');
  if (length > maxBytes) throw brokenOutput(`a picture of ${length} bytes`);
  return length;
}

function brokenOutput(what: string): AppError {
  return new AppError('capture.broken_output', 'unexpected', `ffmpeg wrote ${what}; is this a supported ffmpeg?`);
}
