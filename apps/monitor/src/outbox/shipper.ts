import type { FactPublisher } from '#libs/bus/fact-stream.js';
import { WatermarkBoard } from '#libs/bus/watermarks.js';
import type { HintSubscriber } from '#libs/bus/channels.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { noteSpan } from '#libs/observability/tracing.js';
import { seal } from './envelope.js';
import { InFlight } from './in-flight.js';
import type { Spool, SpoolStats } from './spool.js';

export interface ShipperOptions {
  /** When a fact leaves the spool: `send` loses facts when Redis does, and exists to prove that. */
  clearOn: 'commit' | 'send';
  /** Facts of one round trip at most. */
  batchRecords: number;
  /** Bytes of one round trip at most. */
  batchBytes: number;
  /** Facts sent beyond the watermark at most. */
  mostInFlight: number;
  /** How often the watermark is asked for, ms; hints make it faster. */
  pollMs: number;
  /** After so long without progress the sent facts are looked for, ms. */
  stallMs: number;
  now: () => number;
  random: () => number;
}

export const SHIPPER_DEFAULTS: ShipperOptions = {
  clearOn: 'commit',
  batchRecords: 500,
  batchBytes: 1024 * 1024,
  mostInFlight: 10_000,
  pollMs: 1_500,
  stallMs: 2_000,
  now: Date.now,
  random: Math.random,
};

/** What a shipper needs of Redis; connections are owned and closed by whoever opened them. */
export interface ShipperLinks {
  publisher: Pick<FactPublisher, 'append' | 'holds'>;
  watermarks: Pick<WatermarkBoard, 'read'>;
  /** Makes the watermark arrive at once; null polls only. */
  hints: HintSubscriber | null;
}

/** The beginning of a finding as it lies in the spool, for its trace alone: no need to parse it all again. */
const OPENED = /^\{"type":"detection\.opened"[^]*?"eventId":"([0-9a-f-]{36})"/;
/** Longest pause between two tries while Redis is away, ms. */
const MOST_BACK_OFF_MS = 5_000;

/**
 * Sends what the spool holds to the fact stream, in order, and clears the spool up to the watermark that the api
 * publishes after its commit. A fact counts as safe only there: when the watermark stands still and Redis no longer
 * holds what was sent (it was wiped, or restarted empty), everything beyond the watermark is sent again. Doubles are
 * harmless, the api absorbs them.
 */
export class Shipper {
  private readonly options: ShipperOptions;
  private readonly inFlight = new InFlight();
  private sent: number;
  private movedAt = 0;
  private polledAt = Number.NEGATIVE_INFINITY;
  private failures = 0;
  private resentFacts = 0;
  private stopping = false;
  private loop: Promise<void> | null = null;
  private wake: () => void = () => undefined;
  private woken = false;
  private forgetSpool: () => void = () => undefined;

  constructor(
    private readonly spool: Spool,
    private readonly links: ShipperLinks,
    private readonly logger: Logger,
    options: Partial<ShipperOptions> = {},
  ) {
    this.options = { ...SHIPPER_DEFAULTS, ...options };
    this.sent = spool.watermark;
  }

  /** The spool's figures and how many facts were sent again. */
  get stats(): SpoolStats & { resent: number } {
    return { ...this.spool.stats, resent: this.resentFacts };
  }

  start(): void {
    if (this.loop !== null) return;
    this.movedAt = this.options.now();
    this.forgetSpool = this.spool.onAppended(() => this.rouse());
    if (this.links.hints !== null) {
      // Redis may be away: the subscription is made when it comes, and the poll serves until then.
      WatermarkBoard.listen(this.links.hints, ({ spoolId, seq }) => {
        if (spoolId === this.spool.id) this.advance(seq);
      }).catch((error: unknown) => this.logger.warn({ error: messageOf(error) }, 'no watermark hints; polling'));
    }
    this.loop = this.run();
  }

  /** Ends after what is on its way; what is not committed stays in the spool. Does not wait for a Redis that is away. */
  async stop(patienceMs = 1_000): Promise<void> {
    this.stopping = true;
    this.forgetSpool();
    this.rouse();
    if (this.loop === null) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([this.loop, patience]);
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.follow();
        const shipped = await this.ship();
        if (this.failures > 0) {
          // Whatever was sent before may have gone with the connection's other end.
          this.failures = 0;
          await this.lookForLosses();
        }
        if (!shipped) await this.pause(this.options.pollMs);
      } catch (error) {
        this.failures += 1;
        if (this.failures === 1) this.logger.warn({ error: messageOf(error) }, 'facts wait in the spool');
        const backOff = Math.min(MOST_BACK_OFF_MS, 100 * 2 ** Math.min(this.failures, 10));
        await this.pause(backOff * (0.5 + this.options.random() / 2), true);
      }
    }
  }

  /** Reads the watermark when it is due, and looks for losses when nothing has moved. */
  private async follow(): Promise<void> {
    const now = this.options.now();
    if (now - this.polledAt < this.options.pollMs) return;
    this.polledAt = now;
    this.advance(await this.links.watermarks.read(this.spool.id));
    if (this.sent <= this.spool.watermark) this.movedAt = now;
    else if (now - this.movedAt >= this.options.stallMs) await this.lookForLosses();
  }

  private advance(seq: number): void {
    // Beyond what was sent it cannot be about our facts.
    if (seq <= this.spool.watermark || seq > this.sent) return;
    this.movedAt = this.options.now();
    this.spool.committed(seq);
    this.inFlight.settle(seq);
    this.rouse();
  }

  private async ship(): Promise<boolean> {
    const room = this.options.mostInFlight - this.inFlight.size;
    if (room <= 0) return false;
    const { batchRecords, batchBytes } = this.options;
    const records = await this.spool.read(this.sent + 1, Math.min(batchRecords, room), batchBytes);
    const last = records.at(-1);
    if (last === undefined) return false;
    if (this.sent <= this.spool.watermark) this.movedAt = this.options.now();
    const { floor } = this.spool;
    const startedAt = this.options.now();
    const entryIds = await this.links.publisher.append(records.map((record) => seal(this.spool.id, floor, record)));
    records.forEach(({ seq }, index) => this.inFlight.sent(seq, entryIds[index] ?? ''));
    for (const { json } of records) {
      const [, eventId] = OPENED.exec(json) ?? [];
      if (eventId !== undefined) noteSpan(eventId, { name: 'ship', kind: 'producer', startedAt });
    }
    this.sent = last.seq;
    if (this.options.clearOn === 'send') this.advance(last.seq);
    return true;
  }

  /** Sends everything beyond the watermark again when Redis does not hold what was sent. */
  private async lookForLosses(): Promise<void> {
    this.movedAt = this.options.now();
    const ends = this.inFlight.ends();
    let held = true;
    for (const entryId of ends) held &&= await this.links.publisher.holds(entryId);
    if (held && ends.length > 0) return;
    // It may have been committed and settled since: then the watermark says so.
    this.advance(await this.links.watermarks.read(this.spool.id));
    if (this.sent <= this.spool.watermark) return;
    const again = this.sent - this.spool.watermark;
    this.resentFacts += again;
    this.logger.warn(
      { facts: again, from: this.spool.watermark + 1 },
      'Redis lost facts that were sent: sending again',
    );
    this.inFlight.clear();
    this.sent = this.spool.watermark;
    this.rouse();
  }

  private rouse(): void {
    this.woken = true;
    this.wake();
  }

  /** Waits until something happens, at most `ms`; `deaf` sleeps through everything but the stop. */
  private async pause(ms: number, deaf = false): Promise<void> {
    if (this.stopping || (this.woken && !deaf)) {
      this.woken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        if (deaf && !this.stopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
    this.woken = false;
  }
}
