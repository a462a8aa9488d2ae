import { messageOf } from '#libs/errors/app-error.js';
import { exitText, type ManagedProcess, type ProcessExit } from './process.js';

/** Whatever can be stopped. */
interface Stoppable {
  stop(): Promise<void>;
}

/** How often a process that ended by itself is started again. */
interface RestartBudget {
  restarts: number;
  withinMs: number;
}

/** Three times in a minute. */
const DEFAULT_BUDGET: RestartBudget = { restarts: 3, withinMs: 60_000 };

/**
 * Parts that are started in order and stopped in reverse order. A part whose start is under way when the group stops
 * is waited for, then stopped with the rest.
 */
export class ProcessGroup {
  private parts: { name: string; part: Stoppable }[] = [];
  private readonly starting = new Set<Promise<unknown>>();
  private stopping: Promise<void> | null = null;
  private readonly failure = new AbortController();

  constructor(
    private readonly say: (text: string) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** Aborted, with the reason, when a part has ended and its restarts are used up. */
  get failed(): AbortSignal {
    return this.failure.signal;
  }

  /** Starts a part and keeps it. */
  async add<Part extends Stoppable>(name: string, start: () => Promise<Part>): Promise<Part> {
    this.refuseWhenStopping();
    const begun = start();
    this.starting.add(begun);
    try {
      const part = await begun;
      this.parts.push({ name, part });
      return part;
    } finally {
      this.starting.delete(begun);
    }
  }

  /** Starts a process, keeps it, and starts it again when it ends by itself, within a budget. */
  async run(process: ManagedProcess, budget: RestartBudget = DEFAULT_BUDGET): Promise<void> {
    this.refuseWhenStopping();
    // Kept before it is ready: a stop while it starts must reach it.
    this.parts.push({ name: process.name, part: process });
    await process.start();
    this.keepRunning(process, budget);
  }

  /** Starts a running process again when it ends by itself, within a budget. */
  keepRunning(process: ManagedProcess, budget: RestartBudget = DEFAULT_BUDGET): void {
    const restarts: number[] = [];
    const revive = async (exit: ProcessExit): Promise<void> => {
      if (exit.asked || this.stopping !== null) return;
      const now = this.now();
      const recent = restarts.filter((at) => now - at < budget.withinMs);
      restarts.splice(0, restarts.length, ...recent, now);
      const last = process.lastLines.slice(-3).join('\n  ');
      const what = `${process.name} ended by itself (${exitText(exit)})${last === '' ? '' : `; it said last:\n  ${last}\n `}`;
      if (recent.length >= budget.restarts) {
        this.failure.abort(new Error(`${what} and was restarted ${budget.restarts} times within a minute: giving up.`));
        return;
      }
      this.say(`${what} Starting it again (${recent.length + 1} of ${budget.restarts}) …`);
      try {
        await process.start();
        this.say(`${process.name} runs again.`);
      } catch (error) {
        // One that ended while it started has come here by its own exit; one that only hangs has been stopped.
        if (process.pid === null && this.stopping === null) this.failure.abort(error);
      }
    };
    process.onExit((exit) => void revive(exit));
  }

  /** Stops everything in reverse order. A part that fails to stop does not keep the others. Safe to call twice. */
  stop(): Promise<void> {
    this.stopping ??= (async () => {
      await Promise.allSettled(this.starting);
      for (const { name, part } of this.parts.reverse()) {
        try {
          await part.stop();
        } catch (error) {
          this.say(`${name} did not stop cleanly: ${messageOf(error)}`);
        }
      }
    })();
    return this.stopping;
  }

  private refuseWhenStopping(): void {
    if (this.stopping !== null) throw new Error('stopping');
  }
}
