import type { CaptureWorker, ClaimRules } from '#libs/bus/capture-worker.js';
import type { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import type { CaptureJob } from '#libs/contracts/captures.js';
import type { CaptureDecision, MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { betterElsewhere, type Abilities, type DetectorIds } from './abilities.js';
import { surplusOf } from './balance.js';

/** How often the other monitors are looked at, ms. */
const ROUND_MS = 2_000;
/** A monitor younger than this is not given anything yet: it may fall over at once, ms. */
const YOUNG_MS = 4_000;
/** Time between two claims of an idle monitor and of a full one, ms: who has more room is sooner. */
const [IDLE_PAUSE_MS, FULL_PAUSE_MS] = [50, 500];
/** So long nothing is taken after something was handed back, for another one to take it, ms. */
const MODEST_MS = 3_000;
/** Decisions that are remembered. */
const MOST_DECISIONS = 50;

/** What claims are decided by. */
export interface ClaimsParts {
  directory: Pick<MonitorDirectory, 'list'>;
  /** This monitor as others see it. */
  own: () => MonitorHeartbeat;
  detectors: DetectorIds;
  now: () => number;
  logger: Logger;
}

/**
 * Decides which captures this monitor takes and when: by the room that it has measured, by what it can do, and so that
 * monitors are loaded alike. One that has more than its share, or that another one would do better, is handed back,
 * one at a time.
 */
export class Claims implements ClaimRules {
  private others: readonly (Abilities & { streams: number; capacity: number; isYoung: boolean })[] = [];
  private readonly log: CaptureDecision[] = [];
  private readonly whys = new Map<string, string>();
  private worker: Pick<CaptureWorker, 'jobs' | 'handBack'> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private round: Promise<void> = Promise.resolve();
  private modestUntil = 0;

  constructor(private readonly parts: ClaimsParts) {}

  /** Looks who else is there, before the first capture is taken. */
  async start(worker: Pick<CaptureWorker, 'jobs' | 'handBack'>): Promise<void> {
    this.worker = worker;
    await this.look();
    this.timer = setInterval(() => {
      this.round = this.round.then(() => this.look());
    }, ROUND_MS);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.round;
  }

  /** The newest decisions, newest last. */
  get decisions(): CaptureDecision[] {
    return [...this.log];
  }

  /** Why a stream is watched here, in a sentence. */
  whyOf(streamId: string): string {
    return this.whys.get(streamId) ?? '';
  }

  pauseMs(): number | null {
    if (this.parts.now() < this.modestUntil) return null;
    const { load, sessions } = this.parts.own();
    const room = load?.room ?? 1;
    if (room === 0) {
      // Memory and the setting are hard limits; of time everybody gets a little less.
      const isHard = load?.limitedBy === 'memory' || load?.limitedBy === 'setting';
      // A stream that is watched badly is better than one that is not.
      return isHard || this.others.some((other) => other.room > 0) ? null : FULL_PAUSE_MS;
    }
    const use = sessions.length / (sessions.length + room);
    return Math.round(IDLE_PAUSE_MS + (FULL_PAUSE_MS - IDLE_PAUSE_MS) * use ** 2);
  }

  refuses(job: CaptureJob): string | null {
    return betterElsewhere(job, this.abilities(), this.others, this.parts.detectors);
  }

  hasHeir(): boolean {
    // Without room it takes what nobody else has room for, though later.
    return this.others.length > 0;
  }

  decided(streamId: string, action: CaptureDecision['action'], reason: string): void {
    const last = this.log.findLast((decision) => decision.streamId === streamId);
    // What nobody takes comes by again and again.
    if (action === 'refused' && last?.action === 'refused' && last.reason === reason) return;
    const { load, sessions } = this.parts.own();
    const full =
      action === 'taken'
        ? `${reason} ${String(sessions.length)} streams were watched here. ${load?.detail ?? ''}`
        : reason;
    const text = full.slice(0, 500);
    this.log.push({ streamId, action, reason: text, at: this.parts.now() });
    if (this.log.length > MOST_DECISIONS) this.log.shift();
    if (action === 'taken') this.whys.set(streamId, text);
    else this.whys.delete(streamId);
    this.parts.logger.info({ streamId, action }, text);
  }

  private abilities(): Abilities {
    const { monitorId, load, platforms, detectors } = this.parts.own();
    return { monitorId, room: load?.room ?? 0, platforms, detectors };
  }

  private async look(): Promise<void> {
    try {
      const own = this.parts.own();
      const monitors = await this.parts.directory.list();
      this.others = monitors
        .filter(({ monitorId }) => monitorId !== own.monitorId)
        .map(({ monitorId, load, capacity, sessions, platforms, detectors, startedAt, at }) => ({
          ...{ monitorId, platforms, detectors, capacity, streams: sessions.length },
          room: load?.room ?? Math.max(0, capacity - sessions.length),
          isYoung: at - startedAt < YOUNG_MS,
        }));
      this.forgetWhys();
      await this.giveAway(own);
    } catch (error) {
      this.parts.logger.warn({ error: messageOf(error) }, 'the other monitors could not be looked at');
    }
  }

  /** Hands one capture back when another monitor should have it. */
  private async giveAway(own: MonitorHeartbeat): Promise<void> {
    const { worker, parts } = this;
    const grown = this.others.filter(({ isYoung }) => !isYoung);
    if (worker === null || grown.length === 0 || parts.now() < this.modestUntil) return;
    const jobs = worker.jobs;
    for (const job of jobs) {
      const better = betterElsewhere(job, this.abilities(), grown, parts.detectors);
      if (better !== null) return this.give(worker, job.streamId, better);
    }
    const surplus = surplusOf({ streams: jobs.length, capacity: own.capacity }, grown);
    if (surplus === 0) return;
    // The least urgent one, and of those the one that was taken last.
    const chosen = jobs.reduce((least, job) => (job.priority >= least.priority ? job : least));
    return this.give(
      worker,
      chosen.streamId,
      `Other monitors have more room: ${String(surplus)} above its share here.`,
    );
  }

  private give(worker: Pick<CaptureWorker, 'handBack'>, streamId: string, reason: string): Promise<void> {
    this.modestUntil = this.parts.now() + MODEST_MS;
    void worker.handBack(streamId, reason);
    return Promise.resolve();
  }

  private forgetWhys(): void {
    const held = new Set(this.worker?.jobs.map(({ streamId }) => streamId));
    for (const streamId of this.whys.keys()) if (!held.has(streamId)) this.whys.delete(streamId);
  }
}
