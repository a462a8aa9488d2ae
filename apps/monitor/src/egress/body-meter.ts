import { Transform, type TransformCallback } from 'node:stream';
import { EgressError } from './egress-error.js';
import type { LaneBudget } from './lane-budget.js';

const PLAYLIST_MARK = Buffer.from('#EXTM3U');

/**
 * Counts bytes on their way in and slows them to the lane's rate. A playlist is capped as a whole: players keep all
 * of it in memory.
 */
export class BodyMeter extends Transform {
  private seen = 0;
  private head = Buffer.alloc(0);
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly budget: LaneBudget,
    /** False for bytes that cannot be read, as inside TLS. */
    private readonly legible: boolean,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    if (this.legible && this.head.length < PLAYLIST_MARK.length) {
      this.head = Buffer.concat([this.head, chunk.subarray(0, PLAYLIST_MARK.length - this.head.length)]);
    }
    if (this.seen > this.budget.limits.playlistBytes && this.head.equals(PLAYLIST_MARK)) {
      done(new EgressError('budget_exceeded', `A playlist is longer than ${this.budget.limits.playlistBytes} bytes.`));
      return;
    }
    const waitMs = this.budget.received(chunk.length);
    if (waitMs === 0) done(null, chunk);
    else this.timer = setTimeout(() => done(null, chunk), waitMs);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.timer !== null) clearTimeout(this.timer);
    callback(error);
  }
}
