import { setImmediate as turn } from 'node:timers/promises';

/** After so many in a row the reader lets others have a turn. */
const SLICE = 250;

/** A queue with an end: when full, the oldest gives way and is counted. One reader. */
export class MessageQueue<Item> implements AsyncIterable<Item> {
  /** Items that gave way unread. */
  dropped = 0;
  private readonly ring: (Item | undefined)[];
  private head = 0;
  private size = 0;
  private closed = false;
  private wake: () => void = () => undefined;

  /** @param limit so many may wait */
  constructor(private readonly limit: number) {
    this.ring = Array.from({ length: limit });
  }

  get waiting(): number {
    return this.size;
  }

  push(item: Item): void {
    if (this.closed) return;
    if (this.size === this.limit) {
      this.shift();
      this.dropped += 1;
    }
    this.ring[(this.head + this.size) % this.limit] = item;
    this.size += 1;
    this.wake();
  }

  /** No more will come; what waits can still be read. */
  close(): void {
    this.closed = true;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    for (let inRow = 1; ; inRow += 1) {
      const item = this.shift();
      if (item !== undefined) yield item;
      else if (this.closed) return;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      // Promises alone never let timers and sockets in.
      if (inRow % SLICE === 0) await turn();
    }
  }

  private shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.ring[this.head];
    this.ring[this.head] = undefined;
    this.head = (this.head + 1) % this.limit;
    this.size -= 1;
    return item;
  }
}
