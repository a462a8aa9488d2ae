import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { childEnvironment } from '#libs/config/environment.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Clock } from './clock.js';
import { FIRST_OUTPUT_FD } from './ffmpeg-arguments.js';

/** Variables that ffmpeg may see. Secrets of this process and proxies of the machine are not among them. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];

/** One run of ffmpeg in a process group of its own. Whoever makes it must call {@link stop}. */
export class FfmpegProcess {
  /** Resolves with the exit code (null after a signal) once the process is reaped. */
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;
  private spawnError: Error | null = null;
  private stopping: Promise<void> | null = null;

  constructor(
    path: string,
    args: readonly string[],
    outputs: number,
    private readonly clock: Clock,
  ) {
    const environment = childEnvironment();
    this.child = spawn(path, args, {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', ...Array.from({ length: outputs }, () => 'pipe' as const)],
      env: Object.fromEntries(PASSED_ON.map((name) => [name, environment[name]])),
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code) => resolve(code));
      this.child.once('error', (error) => {
        this.spawnError = error;
        if (this.child.pid === undefined) resolve(null);
      });
    });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  get stderr(): Readable {
    return this.readable(2);
  }

  /** The bytes of one output, in the order of the list that made the arguments. */
  output(index: number): Readable {
    return this.readable(FIRST_OUTPUT_FD + index);
  }

  /** @throws AppError `ffmpeg.missing` when the program could not be started at all. */
  assertStarted(): void {
    if (this.spawnError === null) return;
    throw new AppError(
      'ffmpeg.missing',
      'operational',
      'ffmpeg could not be started; set FFMPEG_PATH.',
      {},
      {
        cause: this.spawnError,
      },
    );
  }

  /** SIGTERM, then SIGKILL for the whole group after `graceMs`. Resolves when nothing of it is left. */
  stop(graceMs = 2_000): Promise<void> {
    this.stopping ??= this.end(graceMs);
    return this.stopping;
  }

  private async end(graceMs: number): Promise<void> {
    const running = this.child.exitCode === null && this.child.signalCode === null && this.pid !== undefined;
    if (running) {
      this.signal('SIGTERM');
      const cancel = this.clock.after(graceMs, () => this.signal('SIGKILL'));
      this.closePipes();
      await this.exited;
      cancel();
    }
    this.closePipes();
  }

  private closePipes(): void {
    for (const pipe of this.child.stdio) pipe?.destroy();
  }

  private signal(name: NodeJS.Signals): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, name);
    } catch {
      // The group is gone already.
    }
  }

  private readable(fd: number): Readable {
    const pipe = this.child.stdio[fd];
    if (!(pipe instanceof Readable)) throw new AppError('capture.no_pipe', 'unexpected', `ffmpeg has no pipe ${fd}.`);
    return pipe;
  }
}
