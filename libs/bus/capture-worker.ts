import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker, type Job } from 'bullmq';
import { CaptureJob } from '#libs/contracts/captures.js';
import { QUEUES, captureJobId } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { within } from './deadline.js';
import type { RedisConnection } from './redis.js';

/** Why a capture was told to end. */
export type StopCause = 'stopped' | 'shutdown' | 'rebalanced' | 'lease_lost';

/** Watches one stream until the signal aborts; its reason is a {@link StopCause}. */
export type CaptureProcessor = (job: CaptureJob, signal: AbortSignal) => Promise<void>;

/** Whether, how soon and which captures are taken. */
export interface ClaimRules {
  /** Time until the next capture is taken, ms; null while there is no room for any. */
  pauseMs(): number | null;
  /** Why another monitor should watch it, in a sentence; null when this one may. */
  refuses(job: CaptureJob): string | null;
  /** Whether somebody is there who may take over what is handed back, be it late. */
  hasHeir(): boolean;
  /** Told of what was taken, handed back or refused, and why. */
  decided(streamId: string, action: 'taken' | 'handed_back' | 'refused', reason: string): void;
}

export interface CaptureWorkerOptions {
  /** Lease of a capture in ms; another monitor takes over after it was not renewed for so long. */
  lockMs: number;
  /** What decides about claims; every capture is taken at once when unset. */
  rules?: ClaimRules;
}

/** How often the queue is asked when it had nothing, ms. */
const POLL_MS = 250;
/** How often the next owner of a capture that was handed back is looked for, ms. */
const HEIR_POLL_MS = 200;
/**
 * So long a capture that was handed back is watched on until somebody else has taken it, ms: to balance, and when this
 * monitor stops, which whoever runs it allows half a minute.
 */
const [BALANCING_MS, STOPPING_MS] = [4_000, 18_000];
/** So long both watch at most when the next owner does not say that it sees a picture, ms. */
const FIRST_PICTURE_MS = 8_000;
/** A capture that is not for this monitor comes back to the queue after so long, ms. */
const REFUSED_MS = 500;
/** Redis is waited for so long at most when a worker closes, ms. */
const PATIENCE_MS = 2_000;

const EVERYTHING: ClaimRules = {
  pauseMs: () => 0,
  refuses: () => null,
  hasHeir: () => false,
  decided: () => undefined,
};

/** A capture that runs here. */
interface Held {
  data: CaptureJob;
  job: Job<CaptureJob>;
  token: string;
  controller: AbortController;
  /** Aborted when somebody else sees the stream. */
  relief: AbortController;
  done: Promise<void>;
  /** Set once its lease was given back: it is watched on only until somebody else does. */
  leaving: Promise<void> | null;
}

/** Pause before a failed capture is tried again: 1 s, 2 s, 4 s … at most a minute, full jitter; ms. */
export function captureBackOff(attemptsMade: number): number {
  return Math.ceil(Math.random() * Math.min(60_000, 1_000 * 2 ** Math.min(attemptsMade - 1, 10)));
}

/**
 * The monitor's end of the captures queue: takes jobs as its rules say, keeps their leases, hands them back. Jobs are
 * fetched one by one rather than by BullMQ's own loop, which takes whatever there is as fast as it can.
 */
export class CaptureWorker {
  private readonly worker: Worker<CaptureJob>;
  private readonly rules: ClaimRules;
  private readonly held = new Map<string, Held>();
  private readonly closing = new AbortController();
  private claiming: Promise<void> = Promise.resolve();
  private renewals: NodeJS.Timeout | undefined;
  private isRenewing = false;

  constructor(
    redis: RedisConnection,
    private readonly processor: CaptureProcessor,
    private readonly options: CaptureWorkerOptions,
    private readonly logger: Logger,
  ) {
    this.rules = options.rules ?? EVERYTHING;
    this.worker = new Worker<CaptureJob>(QUEUES.captures, null, {
      connection: redis,
      lockDuration: options.lockMs,
      stalledInterval: Math.max(500, Math.floor(options.lockMs / 4)),
      // The default of 1 loses a job for good when its worker is killed for the second time.
      maxStalledCount: 1_000_000,
      autorun: false,
      settings: { backoffStrategy: captureBackOff },
    });
    this.worker.on('error', (error) => logger.warn({ queue: QUEUES.captures }, error.message));
  }

  /** Starts taking jobs. */
  start(): void {
    void this.worker.startStalledCheckTimer();
    this.renewals = setInterval(() => void this.renew(), Math.floor(this.options.lockMs / 3));
    this.claiming = this.claim();
  }

  /** Ends the capture of a stream when it is of that generation or older. */
  stop(streamId: string, upToGeneration: number): void {
    const held = this.held.get(streamId);
    if (held !== undefined && held.data.generation <= upToGeneration) {
      held.controller.abort('stopped' satisfies StopCause);
    }
  }

  /** Somebody else sees the stream: what is watched on here only for it to be handed over ends. */
  relieve(streamId: string): void {
    const held = this.held.get(streamId);
    if (held !== undefined && held.leaving !== null) held.relief.abort();
  }

  /** The captures that are held and not on their way to another monitor. */
  get jobs(): CaptureJob[] {
    return [...this.held.values()].filter(({ leaving }) => leaving === null).map(({ data }) => data);
  }

  /** Hands one capture to another monitor, without a break if there is one that takes it. */
  async handBack(streamId: string, reason: string): Promise<void> {
    const held = this.held.get(streamId);
    if (held === undefined || held.leaving !== null) return;
    this.rules.decided(streamId, 'handed_back', reason);
    await this.leave(held, 'rebalanced');
  }

  /** Takes no more jobs, hands every one back, and resolves when all captures have ended. */
  async close(): Promise<void> {
    this.closing.abort();
    // What a fetch under way brings is handed back by itself.
    await within(PATIENCE_MS, this.claiming).catch(() => undefined);
    await Promise.all([...this.held.values()].map((held) => held.leaving ?? this.leave(held, 'shutdown')));
    clearInterval(this.renewals);
    await within(PATIENCE_MS, this.worker.close()).catch(() => undefined);
  }

  private async claim(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      let took = false;
      try {
        took = this.rules.pauseMs() !== null && (await this.takeNext());
      } catch (error) {
        if (!signal.aborted) this.logger.warn({ error: messageOf(error) }, 'no capture could be fetched');
      }
      // Not in step with other monitors, or the same one is always first.
      const idle = POLL_MS * (0.7 + Math.random() * 0.6);
      const pause = this.rules.pauseMs() ?? idle;
      await wait(took ? pause : Math.max(pause, idle), undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether a capture was taken */
  private async takeNext(): Promise<boolean> {
    const token = randomUUID();
    const job = (await this.worker.getNextJob(token, { block: false })) as Job<CaptureJob> | undefined;
    if (job === undefined) return false;
    if (this.closing.signal.aborted) {
      await this.giveBack(job, token);
      return false;
    }
    const parsed = CaptureJob.safeParse(job.data);
    if (!parsed.success) {
      this.logger.error({ jobId: job.id }, 'a capture job does not fit the contract and was dropped');
      await job.moveToCompleted(undefined, token, false);
      return false;
    }
    const refusal = this.rules.refuses(parsed.data);
    if (refusal !== null) {
      this.rules.decided(parsed.data.streamId, 'refused', refusal);
      // Out of sight for a moment, so that others find it, and so that it does not go round and round here.
      await job.moveToDelayed(Date.now() + Math.ceil(REFUSED_MS * (0.5 + Math.random())), token);
      return false;
    }
    await this.take(job, token, parsed.data);
    return true;
  }

  private async take(job: Job<CaptureJob>, token: string, data: CaptureJob): Promise<void> {
    const previous = this.held.get(data.streamId);
    if (
      previous !== undefined &&
      previous.leaving !== null &&
      previous.data.generation === data.generation &&
      !previous.controller.signal.aborted
    ) {
      // Nobody else wanted it: it goes on here as if nothing had been.
      Object.assign(previous, { job, token, leaving: null, relief: new AbortController() });
      this.rules.decided(data.streamId, 'taken', 'Handed back, and nobody else took it.');
      return;
    }
    previous?.controller.abort('lease_lost' satisfies StopCause);
    const reason = job.attemptsStarted > 1 ? 'Taken over from another monitor.' : 'It waited, and there was room.';
    this.rules.decided(data.streamId, 'taken', reason);
    const controller = new AbortController();
    const relief = new AbortController();
    const held: Held = { data, job, token, controller, relief, done: Promise.resolve(), leaving: null };
    this.held.set(data.streamId, held);
    held.done = this.run(held, previous?.done);
  }

  private async run(held: Held, before: Promise<void> | undefined): Promise<void> {
    const { data, controller } = held;
    let failure: Error | null = null;
    try {
      await before;
      await this.processor(data, controller.signal);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(messageOf(error));
    }
    if (this.held.get(data.streamId) === held) this.held.delete(data.streamId);
    const cause: unknown = controller.signal.reason;
    // Its lease is somebody else's by now, or nobody's.
    if (held.leaving !== null || cause === ('lease_lost' satisfies StopCause)) {
      if (failure !== null)
        this.logger.warn({ streamId: data.streamId, error: failure.message }, 'a capture failed at its end');
      return;
    }
    try {
      if (failure === null) await held.job.moveToCompleted(undefined, held.token, false);
      else await held.job.moveToFailed(failure, held.token, false);
    } catch (error) {
      this.logger.warn({ streamId: data.streamId, error: messageOf(error) }, 'the end of a capture was not noted');
    }
  }

  /** Gives the lease back first, so that another monitor starts at once, and ends the capture when that one is there. */
  private leave(held: Held, cause: StopCause): Promise<void> {
    held.leaving = (async () => {
      const given = await within(PATIENCE_MS, this.giveBack(held.job, held.token)).catch(() => false);
      if (given && this.rules.hasHeir()) await this.untilSeen(held, cause === 'shutdown' ? STOPPING_MS : BALANCING_MS);
      // Taken back by this monitor meanwhile.
      if (held.leaving === null) return;
      held.controller.abort(cause);
      await held.done;
    })();
    return held.leaving;
  }

  /** Watches on until somebody else sees the stream; not for ever where nobody takes it, or takes it and sees nothing. */
  private async untilSeen(held: Held, untakenMs: number): Promise<void> {
    const { controller, relief } = held;
    const patience = { signal: AbortSignal.any([controller.signal, relief.signal]) };
    // When all stop at once, nobody is there to wait for.
    const isOver = (): boolean => patience.signal.aborted || held.leaving === null || !this.rules.hasHeir();
    for (const deadline = Date.now() + untakenMs; Date.now() < deadline && !isOver();) {
      await wait(HEIR_POLL_MS, undefined, patience).catch(() => undefined);
      if (isOver() || !(await within(PATIENCE_MS, held.job.isActive()).catch(() => false))) continue;
      if (!isOver()) await wait(FIRST_PICTURE_MS, undefined, patience).catch(() => undefined);
      return;
    }
  }

  /** @returns whether it is in the queue again */
  private async giveBack(job: Job<CaptureJob>, token: string): Promise<boolean> {
    try {
      await job.moveToWait(token);
      return true;
    } catch (error) {
      this.logger.warn(
        { jobId: job.id, error: messageOf(error) },
        'a capture could not be handed back; its lease will run out',
      );
      return false;
    }
  }

  /** Renews every lease; a capture whose lease is another's ends here, so that no stream is watched twice for long. */
  private async renew(): Promise<void> {
    const held = [...this.held.values()].filter(({ leaving }) => leaving === null);
    // While Redis is away one renewal waits for it, not one for each round.
    if (held.length === 0 || this.isRenewing) return;
    this.isRenewing = true;
    const ids = held.map(({ data }) => captureJobId(data.streamId));
    const tokens = held.map(({ token }) => token);
    try {
      const lost = new Set(await this.worker.extendJobLocks(ids, tokens, this.options.lockMs));
      for (const [index, entry] of held.entries()) {
        const isSame = entry.leaving === null && entry.token === tokens[index];
        if (isSame && lost.has(ids[index] ?? '')) entry.controller.abort('lease_lost' satisfies StopCause);
      }
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'leases could not be renewed; watching goes on');
    } finally {
      this.isRenewing = false;
    }
  }
}
