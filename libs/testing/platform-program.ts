import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a scripted program does when it is run. */
export interface Act {
  stdout?: string;
  stderr?: string;
  exitCode?: number;
  /** `hang` starts a child that hangs too; `flood` writes without end. */
  then?: 'exit' | 'hang' | 'flood';
}

/** What it was run with. */
export interface Run {
  argv: string[];
  env: Record<string, string>;
  pid: number;
  /** Process id of the child of a run that hangs, else null. */
  childPid: number | null;
}

/**
 * A program for tests that stands where streamlink or yt-dlp would: a script that says what it is told to say and
 * writes down how it was called. It resolves nothing.
 */
export class ScriptedProgram {
  private constructor(private readonly directory: string) {}

  static async make(): Promise<ScriptedProgram> {
    const program = new ScriptedProgram(await mkdtemp(join(tmpdir(), 'vigil-program-')));
    const script = `#!${process.execPath}
const { readFileSync, writeFileSync, renameSync } = require('node:fs');
const { spawn } = require('node:child_process');
const here = ${JSON.stringify(program.directory)};
const act = JSON.parse(readFileSync(here + '/act.json', 'utf8'));
const child = act.then === 'hang' ? spawn('sleep', ['600'], { stdio: 'inherit' }) : null;
const run = { argv: process.argv.slice(2), env: process.env, pid: process.pid, childPid: child ? child.pid : null };
writeFileSync(here + '/run.part', JSON.stringify(run));
renameSync(here + '/run.part', here + '/run.json');
process.stdout.write(act.stdout ?? '');
process.stderr.write(act.stderr ?? '');
process.exitCode = act.exitCode ?? 0;
if (act.then === 'flood') {
  const more = () => { while (process.stdout.write('x'.repeat(65536))); };
  process.stdout.on('drain', more);
  more();
}
`;
    await writeFile(program.path, script, { mode: 0o755 });
    await program.will({});
    return program;
  }

  get path(): string {
    return join(this.directory, 'program.cjs');
  }

  /** What the next runs do. */
  async will(act: Act): Promise<void> {
    await rm(join(this.directory, 'run.json'), { force: true });
    await writeFile(join(this.directory, 'act.json'), JSON.stringify(act));
  }

  /** How it was run last; null before that. */
  async lastRun(): Promise<Run | null> {
    const text = await readFile(join(this.directory, 'run.json'), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as Run);
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}
