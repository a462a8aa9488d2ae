import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AppError } from '#libs/errors/app-error.js';
import { guard } from './guard.js';
import { noteProcess } from './leftovers.js';
import { LogFile } from './log-file.js';

/** When a process counts as ready: it printed a line, it answers 2xx at a url, or a check of ours says so. */
type Readiness = { line: RegExp } | { url: string } | { check: () => Promise<boolean> };

/** How a process is run. */
export interface ProcessOptions {
  /** What people call it; starts each line on the terminal. */
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Where its output goes. */
  logFile?: string;
  /** Where its number is noted while it runs, for {@link endNoted}. */
  noteFile?: string;
  /** Gets each line prefixed with the name, to show it on a terminal. */
  echo?: (line: string) => void;
  /** Sees each line first; what it returns is logged and echoed, null keeps the line out of both. */
  onLine?: (line: string) => string | null;
  /** Ready at once when absent. */
  ready?: Readiness;
  /** 60 s when absent. */
  readyTimeoutMs?: number;
  /** What asks it to stop; SIGTERM when absent. */
  stopSignal?: NodeJS.Signals;
  /** Time it has to stop before its group gets SIGKILL; 10 s when absent. */
  graceMs?: number;
}

/** How a process ended. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** False when nobody asked it to. */
  asked: boolean;
}

const TAIL_LINES = 20;

/**
 * A child process in a process group of its own, so that Ctrl-C on the terminal reaches only whoever starts and stops
 * it in order. May be started again after it ended.
 */
export class ManagedProcess {
  private child: ChildProcessByStdio<null, Readable, Readable> | null = null;
  private ended: Promise<ProcessExit> = Promise.resolve({ code: 0, signal: null, asked: true });
  private asked = false;
  private tail: string[] = [];
  private listeners: ((exit: ProcessExit) => void)[] = [];

  constructor(readonly options: ProcessOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Process number while it runs, null otherwise. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Settles when the process that runs, or ran last, has ended. */
  get exited(): Promise<ProcessExit> {
    return this.ended;
  }

  /** The last lines it wrote. */
  get lastLines(): readonly string[] {
    return this.tail;
  }

  /** Calls back each time the process ends. */
  onExit(listener: (exit: ProcessExit) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Starts it and waits until it is ready; stops it when it does not become ready.
   * @throws AppError `process.not_started`, `process.ended_early`, `process.not_ready`
   */
  async start(): Promise<void> {
    if (this.child !== null) throw new Error(`${this.name} runs already`);
    const line = this.launch();
    await this.awaitReady(line);
  }

  /** Asks it to stop, ends its whole group when it does not, and waits until it is gone. Safe to call twice. */
  async stop(): Promise<void> {
    const child = this.child;
    if (child === null) return;
    this.asked = true;
    const timer = setTimeout(() => this.kill('SIGKILL'), this.options.graceMs ?? 10_000);
    child.kill(this.options.stopSignal ?? 'SIGTERM');
    await this.ended;
    clearTimeout(timer);
  }

  /** Sends a signal to the whole group, as an accident would. */
  kill(signal: NodeJS.Signals): void {
    const pid = this.child?.pid;
    if (pid !== undefined) signalGroup(pid, signal);
  }

  /** Stops it and starts it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  private launch(): Promise<void> {
    const { name, command, args, env, cwd, uid, gid, logFile, echo, onLine, ready } = this.options;
    const child = spawn(command, args, {
      env,
      cwd,
      uid,
      gid,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.asked = false;
    this.tail = [];
    const log = logFile === undefined ? null : new LogFile(logFile);
    let sawLine: () => void = () => undefined;
    const line = new Promise<void>((resolve) => (sawLine = resolve));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (text) => {
        if (ready !== undefined && 'line' in ready && ready.line.test(text)) sawLine();
        const shown = onLine === undefined ? text : onLine(text);
        if (shown === null) return;
        this.tail.push(shown);
        if (this.tail.length > TAIL_LINES) this.tail.shift();
        log?.write(shown);
        echo?.(`[${name}] ${shown}`);
      });
    }
    const { pid } = child;
    if (pid !== undefined) {
      guard.add(pid, this.options.stopSignal ?? 'SIGTERM', this.options.graceMs ?? 10_000);
      if (this.options.noteFile !== undefined) noteProcess(this.options.noteFile, pid);
    }
    this.ended = new Promise<ProcessExit>((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (this.child !== child) return;
        if (pid !== undefined) {
          // What it started and left in its group goes with it; only then is there nothing to guard.
          signalGroup(pid, 'SIGKILL');
          guard.remove(pid);
        }
        this.child = null;
        // A grandchild that outlives it holds their other ends, and they would keep this process from ending.
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
        log?.close();
        const exit = { code, signal, asked: this.asked };
        resolve(exit);
        for (const listener of this.listeners) listener(exit);
      };
      child.once('error', (error) => {
        this.tail.push(error.message);
        end(null, null);
      });
      child.once('exit', (code, signal) => {
        // The pipes may be held open by a grandchild: end what is left, then take the last of the output.
        if (pid !== undefined) signalGroup(pid, 'SIGKILL');
        const late = setTimeout(() => end(code, signal), 1_000);
        child.once('close', () => {
          clearTimeout(late);
          end(code, signal);
        });
      });
    });
    return line;
  }

  private async awaitReady(line: Promise<void>): Promise<void> {
    const { ready, readyTimeoutMs = 60_000 } = this.options;
    if (ready === undefined && this.child?.pid !== undefined) return;
    const ended = this.ended.then((exit) => ({ exit }));
    const stopWaiting = new AbortController();
    const isReady = ready === undefined || 'line' in ready ? line : poll(ready, stopWaiting.signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), readyTimeoutMs)));
    try {
      const outcome = await Promise.race([ended, isReady, late]);
      if (outcome === undefined) return;
      if (outcome !== 'late') throw this.failure(`${this.name} ended while it started (${exitText(outcome.exit)})`);
      await this.stop();
      throw this.failure(`${this.name} was not ready after ${Math.round(readyTimeoutMs / 1000)} s`);
    } finally {
      clearTimeout(timer);
      stopWaiting.abort();
    }
  }

  private failure(what: string): AppError {
    const where = this.options.logFile === undefined ? '' : `\nIts log: ${this.options.logFile}`;
    const last = this.tail.length === 0 ? '' : `. It said last:\n  ${this.tail.slice(-8).join('\n  ')}`;
    return new AppError('process.not_ready', 'operational', `${what}${last}${where}`);
  }
}

/** `exit code 1` or `SIGKILL`, for a sentence. */
export function exitText(exit: ProcessExit): string {
  return exit.signal ?? `exit code ${exit.code ?? 'unknown'}`;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

async function poll(ready: { url: string } | { check: () => Promise<boolean> }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if ('check' in ready ? await ready.check() : await answers(ready.url)) return;
    } catch {
      // Not there yet; the caller's deadline bounds the trying.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  await response.body?.cancel();
  return response.ok;
}
