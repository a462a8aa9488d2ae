import type { Namespace } from 'socket.io';
import { z } from 'zod';

/** Names and payload schemas of what the server may send on a namespace. */
type EventTable = Record<string, z.ZodType>;

/** What one process says to the others in one message at most. */
const MOST_AT_ONCE = 200;

/** One thing that is said, and to whom. */
const Said = z.object({ rooms: z.array(z.string()), event: z.string(), payload: z.unknown() });
type Said = z.infer<typeof Said>;

/**
 * Says things to rooms, over all api processes. Clients of this process hear at once; what is said within one turn of
 * the event loop goes to the other processes in one message, which makes a batch of a thousand findings cost a few
 * messages instead of a thousand.
 */
export class Broadcast<Events extends EventTable> {
  private waiting: Said[] = [];

  /** @param events what may be said: anything else that comes from another process is left out. */
  constructor(
    private readonly namespace: Namespace,
    private readonly events: Events,
  ) {
    namespace.on('said', (batch: unknown) => {
      this.hear(batch);
    });
  }

  /** To every client in any of these rooms, once. */
  emit<Name extends keyof Events & string>(rooms: string[], event: Name, payload: z.infer<Events[Name]>): void {
    const said = { rooms, event, payload };
    this.tellOwn(said);
    this.waiting.push(said);
    if (this.waiting.length === 1) setImmediate(() => void this.flush());
    if (this.waiting.length >= MOST_AT_ONCE) void this.flush();
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    // A process that comes after this look has only clients that come after it, and fetch what was before.
    const processes = batch.length === 0 ? 1 : await this.namespace.adapter.serverCount().catch(() => 1);
    if (processes > 1) this.namespace.serverSideEmit('said', batch);
  }

  private hear(batch: unknown): void {
    if (!Array.isArray(batch)) return;
    for (const item of batch) {
      const said = Said.safeParse(item);
      if (!said.success) continue;
      const payload = this.events[said.data.event]?.safeParse(said.data.payload);
      if (payload?.success === true) this.tellOwn({ ...said.data, payload: payload.data });
    }
  }

  private tellOwn({ rooms, event, payload }: Said): void {
    // Nothing is encoded for nobody.
    if (rooms.some((room) => this.namespace.adapter.rooms.has(room))) {
      this.namespace.local.to(rooms).emit(event, payload);
    }
  }
}
