import { fork, type ChildProcess } from 'node:child_process';
import { childEnvironment } from '#libs/config/environment.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { Backoff } from '../../capture/backoff.js';
import { systemClock, type Clock } from '../../capture/clock.js';
import { residentBytes } from '../../capture/process-memory.js';
import { ChildMessage, type ChildAsk, type SherpaModel } from './child-messages.js';

/** Bounds of the child. */
export interface HostLimits {
  /** For loading the model, ms. */
  loadTimeoutMs: number;
  /** For one utterance, ms. */
  hearTimeoutMs: number;
  /** Resident memory beyond which the child is replaced after an utterance, bytes. */
  maxMemoryBytes: number;
  /** First and longest pause before a new child, ms. */
  firstRetryMs: number;
  longestRetryMs: number;
}

export const HOST_DEFAULTS: HostLimits = {
  ...{ loadTimeoutMs: 120_000, hearTimeoutMs: 60_000, maxMemoryBytes: 3 * 2 ** 30 },
  ...{ firstRetryMs: 200, longestRetryMs: 30_000 },
};

/** What a child answered. */
export interface HostText {
  text: string;
  language: string;
}

const ENTRY = new URL('./sherpa-child.js', import.meta.url);
/** Variables that the child may see; secrets of this process are not among them. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'PWD'];
const MAX_STDERR = 2_000;

/** Why a child is of no more use; {@link lost} means that it went away by itself or had to be killed. */
class ChildFault extends Error {
  constructor(
    readonly code: 'asr.failed' | 'asr.timeout' | 'asr.lost',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Keeps one child process with one model. The native engine may crash, hang or leak: it does so alone. A child that
 * is lost is replaced after a pause, and the utterance it was at is tried once more.
 */
export class SherpaHost {
  /** Children that were lost or replaced. */
  restarts = 0;
  private child: LoadedChild | null = null;
  private tail: Promise<unknown> = Promise.resolve();
  private readonly backoff: Backoff;
  private readonly stopping = new AbortController();

  constructor(
    private readonly model: SherpaModel,
    private readonly limits: HostLimits = HOST_DEFAULTS,
    private readonly clock: Clock = systemClock,
    random: () => number = Math.random,
  ) {
    this.backoff = new Backoff(random, { firstMs: limits.firstRetryMs, longestMs: limits.longestRetryMs });
  }

  /** Process id of the child, null while there is none. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /**
   * Starts the child and loads the model.
   * @throws AppError `asr.failed` when the model is of no use, `asr.timeout`
   */
  async start(): Promise<void> {
    try {
      await this.loaded();
    } catch (error) {
      throw this.explain(error);
    }
  }

  /**
   * Writes one utterance down, after those asked for before.
   * @throws AppError `asr.unavailable` when stopped, `asr.timeout`, `asr.failed`; the reason of `signal`
   */
  hear(pcm: Uint8Array, signal?: AbortSignal): Promise<HostText> {
    const answer = this.tail.then(() => this.hearNow(pcm, signal));
    this.tail = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the child at once; what is under way is rejected. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.child?.end();
    await this.tail;
    await this.child?.end();
  }

  private async hearNow(pcm: Uint8Array, signal: AbortSignal | undefined): Promise<HostText> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      try {
        const child = await this.loaded();
        const text = await child.hear(pcm, this.limits.hearTimeoutMs);
        this.backoff.reset();
        await this.watchMemory(child);
        signal?.throwIfAborted();
        return text;
      } catch (error) {
        signal?.throwIfAborted();
        const lost = error instanceof ChildFault && error.code === 'asr.lost';
        if (!lost || attempt > 1 || this.stopping.signal.aborted) throw this.explain(error);
      }
    }
  }

  /** The child that runs, or a new one after the pause that its predecessors earned. */
  private async loaded(): Promise<LoadedChild> {
    if (this.child !== null && !this.child.gone) return this.child;
    if (this.child !== null) {
      this.restarts += 1;
      this.child = null;
      await this.pause(this.backoff.failed(this.clock.now(), 0).delayMs);
    }
    if (this.stopping.signal.aborted) throw new ChildFault('asr.lost', 'it was stopped');
    const child = new LoadedChild(this.clock);
    this.child = child;
    try {
      await child.load(this.model, this.limits.loadTimeoutMs);
    } catch (error) {
      await child.end();
      throw error;
    }
    return child;
  }

  private async watchMemory(child: LoadedChild): Promise<void> {
    const used = child.pid === null ? null : residentBytes(child.pid);
    if (used !== null && used > this.limits.maxMemoryBytes) await child.end();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, done);
      const { signal } = this.stopping;
      function done(): void {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }

  private explain(error: unknown): AppError {
    if (this.stopping.signal.aborted) {
      return new AppError('asr.unavailable', 'operational', 'The speech engine was stopped.');
    }
    const code = error instanceof ChildFault && error.code === 'asr.timeout' ? 'asr.timeout' : 'asr.failed';
    return new AppError(code, 'operational', `The speech engine failed: ${messageOf(error)}.`, {}, { cause: error });
  }
}

/** One child process with its model. */
class LoadedChild {
  gone = false;
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;
  private stderr = '';
  private nextId = 0;
  private waiting: { resolve(message: ChildMessage): void; reject(error: Error): void } | null = null;

  constructor(private readonly clock: Clock) {
    const environment = childEnvironment();
    this.process = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--max-old-space-size=256'],
      env: Object.fromEntries(PASSED_ON.map((name) => [name, environment[name]])),
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-MAX_STDERR);
    });
    this.process.on('message', (message: unknown) => this.take(message));
    this.exited = new Promise((resolve) => {
      const lose = (reason: string): void => {
        this.gone = true;
        const said = this.stderr.trim().split('\n').slice(-3).join(' ');
        this.waiting?.reject(new ChildFault('asr.lost', `its process ${reason}${said === '' ? '' : ` (${said})`}`));
        this.waiting = null;
        resolve();
      };
      this.process.once('error', (error) => lose(`could not be started: ${error.message}`));
      this.process.once('exit', (code, signal) => lose(`ended by ${signal ?? `code ${code ?? '?'}`}`));
    });
  }

  get pid(): number | null {
    return this.gone ? null : (this.process.pid ?? null);
  }

  async load(model: SherpaModel, timeoutMs: number): Promise<void> {
    await this.ask({ type: 'load', model }, timeoutMs);
  }

  async hear(pcm: Uint8Array, timeoutMs: number): Promise<HostText> {
    const said = await this.ask({ type: 'hear', id: (this.nextId += 1), pcm }, timeoutMs);
    if (said.type !== 'text') throw new ChildFault('asr.failed', 'it gave no text');
    return { text: said.text, language: said.language };
  }

  /** SIGKILL: there is nothing to save in it. Resolves when it is reaped. */
  async end(): Promise<void> {
    if (!this.gone) this.process.kill('SIGKILL');
    await this.exited;
  }

  private async ask(ask: ChildAsk, timeoutMs: number): Promise<ChildMessage> {
    if (this.gone) throw new ChildFault('asr.lost', 'its process is gone');
    let cancel = (): void => undefined;
    try {
      return await new Promise<ChildMessage>((resolve, reject) => {
        this.waiting = { resolve, reject };
        cancel = this.clock.after(timeoutMs, () => {
          this.waiting = null;
          reject(new ChildFault('asr.timeout', `no answer within ${timeoutMs} ms`));
          void this.end();
        });
        this.process.send(ask, (error) => {
          if (error !== null) reject(new ChildFault('asr.lost', error.message));
        });
      });
    } catch (error) {
      // The end of the process may still be under way; its successor must not start beside it.
      if (error instanceof ChildFault && error.code !== 'asr.failed') await this.end();
      throw error;
    } finally {
      cancel();
    }
  }

  private take(message: unknown): void {
    const { waiting } = this;
    if (waiting === null) return;
    this.waiting = null;
    const parsed = ChildMessage.safeParse(message);
    if (!parsed.success) waiting.reject(new ChildFault('asr.failed', 'it sent something that is not understood'));
    else if (parsed.data.type === 'failed') waiting.reject(new ChildFault('asr.failed', parsed.data.message));
    else waiting.resolve(parsed.data);
  }
}
