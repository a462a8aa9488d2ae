import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import type { Tally } from './crowd-member.js';

/** The server that clients are connected to. */
export type Side = 'vigil' | 'bare';

/** What a process of clients is asked to do. */
export type CrowdOrder =
  | {
      do: 'connect';
      side: Side;
      url: string;
      tokens: readonly (string | null)[];
      replayPath: string | null;
      reconnectMs: number;
    }
  | { do: 'times'; side: Side; lines: readonly number[] }
  | { do: 'in step' }
  | { do: 'tally'; lines: number };

/** What it says. */
export type CrowdNote =
  | { note: 'done'; number: number; value: unknown }
  | { note: 'failed'; number: number; fault: string }
  | { note: 'all heard'; side: Side; line: number };

/** Longer than anything takes that ends, ms. */
const PATIENCE_MS = 120_000;

/** Many Socket.IO clients, in processes of their own. */
export class Crowd {
  private readonly processes: ChildProcess[];
  private readonly open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  /** Processes all of whose clients heard a caption, by side and number. */
  private readonly heard = new Map<string, number>();
  private orders = 0;

  constructor(processes: number) {
    const script = join(repositoryRoot, 'dist', 'test', 'bench', 'socket-crowd.js');
    this.processes = Array.from({ length: processes }, () => fork(script, [], { execArgv: [] }));
    for (const child of this.processes) {
      child.on('message', (note: CrowdNote) => {
        this.take(note);
      });
      child.on('exit', () => {
        for (const { reject } of this.open.values()) reject(new Error('A process of clients has ended.'));
      });
    }
  }

  /** Connects clients, one for each token. @returns the seconds that it took. */
  async connect(
    side: Side,
    url: string,
    tokens: readonly (string | null)[],
    replayPath: string | null,
    reconnectMs: number,
  ): Promise<number> {
    const startedAt = performance.now();
    const share = Math.ceil(tokens.length / this.processes.length);
    await Promise.all(
      this.processes.map((child, index) => {
        const own = tokens.slice(index * share, (index + 1) * share);
        return this.order(child, { do: 'connect', side, url, tokens: own, replayPath, reconnectMs });
      }),
    );
    return (performance.now() - startedAt) / 1_000;
  }

  /** Resolves once every client of the side has heard the caption. @throws when some do not for very long. */
  async allHear(side: Side, line: number): Promise<void> {
    const key = `${side} ${String(line)}`;
    await until(
      () => this.heard.get(key) === this.processes.length,
      () => `caption ${key} did not reach all`,
    );
    this.heard.delete(key);
  }

  /** How long captions took to reach each client, ms. */
  async times(side: Side, lines: readonly number[]): Promise<number[]> {
    return (await this.all<number[]>({ do: 'times', side, lines })).flat();
  }

  /** Clients that are connected to Vigil and have everything. */
  async inStep(): Promise<number> {
    return (await this.all<number>({ do: 'in step' })).reduce((total, count) => total + count, 0);
  }

  /** What all clients of Vigil have together, and when the last one had all it missed. */
  async tally(lines: number): Promise<Tally & { resyncedAt: number }> {
    const all = await this.all<{ tally: Tally; resyncedAt: number }>({ do: 'tally', lines });
    const total = (name: keyof Tally): number => all.reduce((sum, { tally }) => sum + tally[name], 0);
    return {
      ...{ missing: total('missing'), doubled: total('doubled'), overlapping: total('overlapping') },
      ...{ replayed: total('replayed'), resyncedAt: Math.max(...all.map(({ resyncedAt }) => resyncedAt)) },
    };
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }

  private all<Value>(order: CrowdOrder): Promise<Value[]> {
    return Promise.all(this.processes.map((child) => this.order(child, order) as Promise<Value>));
  }

  private order(child: ChildProcess, order: CrowdOrder): Promise<unknown> {
    this.orders += 1;
    const number = this.orders;
    return new Promise((resolve, reject) => {
      this.open.set(number, { resolve, reject });
      child.send({ ...order, number });
    });
  }

  private take(note: CrowdNote): void {
    if (note.note === 'all heard') {
      const key = `${note.side} ${String(note.line)}`;
      this.heard.set(key, (this.heard.get(key) ?? 0) + 1);
      return;
    }
    const asked = this.open.get(note.number);
    this.open.delete(note.number);
    if (note.note === 'done') asked?.resolve(note.value);
    else asked?.reject(new Error(note.fault));
  }
}

/** Asks until it is so; a bound for what never comes, not a measure. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  complaint: () => string,
  { everyMs = 20, patienceMs = PATIENCE_MS } = {},
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`After ${String(patienceMs / 1_000)} s: ${complaint()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
