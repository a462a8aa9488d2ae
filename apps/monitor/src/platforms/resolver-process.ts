import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { childEnvironment } from '#libs/config/environment.js';
import { PlatformError } from './platform.port.js';

/** Variables that a resolver may see; secrets of this process and proxies of the machine are not among them. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];

/** Bounds of one run. */
export interface ResolverLimits {
  timeoutMs: number;
  /** Of each, standard output and error, bytes. */
  maxBytes: number;
}

export const RESOLVER_LIMITS: ResolverLimits = { timeoutMs: 45_000, maxBytes: 8 * 2 ** 20 };

/** What a run left behind. */
export interface ResolverOutput {
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
}

/**
 * A program that finds out where other sites play, if it is installed. Each run is a process group of its own, bounded
 * in time and output, and nothing of it outlives the run.
 */
export class ResolverProgram {
  /**
   * @param program name or path
   * @param install what a person runs to have it
   */
  constructor(
    readonly program: string,
    readonly install: string,
    private readonly limits: ResolverLimits = RESOLVER_LIMITS,
  ) {}

  /** Whether it can be found now. */
  installed(): boolean {
    const folders = isAbsolute(this.program) ? [''] : (childEnvironment().PATH ?? '').split(delimiter).slice(0, 200);
    return folders.some((folder) => isExecutable(join(folder, this.program)));
  }

  /**
   * Runs it to its end.
   * @param args each is one argument; no shell sees them
   * @throws PlatformError `program_missing`, `stalled` after the time, `budget_exceeded` after too much output; what
   * aborted `signal`
   */
  async run(args: readonly string[], signal: AbortSignal): Promise<ResolverOutput> {
    signal.throwIfAborted();
    if (!this.installed()) throw this.missing();
    const environment = childEnvironment();
    const child = spawn(this.program, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(PASSED_ON.map((name) => [name, environment[name]])),
    });
    const endAll = (): void => endGroup(child.pid);
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let fault: PlatformError | null = null;
    const fail = (error: PlatformError): void => {
      fault ??= error;
      endAll();
    };
    for (const name of ['stdout', 'stderr'] as const) {
      let length = 0;
      child[name].on('data', (piece: Buffer) => {
        length += piece.length;
        if (length <= this.limits.maxBytes) output[name].push(piece);
        else fail(new PlatformError('blocked', 'budget_exceeded', `${this.program} wrote more than it should.`));
      });
    }
    const late = new PlatformError('offline', 'stalled', `${this.program} found nothing in time.`);
    const timer = setTimeout(() => fail(late), this.limits.timeoutMs);
    signal.addEventListener('abort', endAll, { once: true });
    // What it started goes with it, or would hold its pipes open.
    child.once('exit', endAll);
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once('error', (cause) => reject(this.missing({ cause })));
        child.once('close', (code) => resolve(code));
      });
      signal.throwIfAborted();
      if (fault !== null) throw fault as PlatformError;
      return { exitCode, stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr).toString('utf8') };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', endAll);
    }
  }

  private missing(options?: { cause?: unknown }): PlatformError {
    const message = `${this.program} is not installed on this monitor: run \`${this.install}\`, or enter the address of the stream itself.`;
    return new PlatformError('blocked', 'program_missing', message, options);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
