import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ScriptedProgram, type Run } from '#libs/testing/platform-program.js';
import { ResolverProgram } from './resolver-process.js';

describe('ResolverProgram', () => {
  let script: ScriptedProgram;

  beforeEach(async () => {
    script = await ScriptedProgram.make();
  });
  afterEach(() => script.remove());

  const never = new AbortController().signal;
  const program = (limits = { timeoutMs: 60_000, maxBytes: 2 ** 20 }): ResolverProgram =>
    new ResolverProgram(script.path, 'pip install it', limits);

  async function started(): Promise<Run> {
    for (;;) {
      const run = await script.lastRun();
      if (run !== null) return run;
      await pause(20);
    }
  }

  async function isGone(pid: number | null): Promise<boolean> {
    for (let round = 0; round < 200; round += 1) {
      const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => null);
      if (stat === null || /\) Z /.test(stat)) return true;
      await pause(20);
    }
    return false;
  }

  it('hands over each argument as it is and gives back what was said', async () => {
    await script.will({ stdout: 'out', stderr: 'err', exitCode: 3 });
    const args = ['--', '$(touch /tmp/x)', 'a b', '; rm', '"'];
    const output = await program().run(args, never);
    expect({ ...output, stdout: output.stdout.toString() }).toEqual({ stdout: 'out', stderr: 'err', exitCode: 3 });
    expect((await script.lastRun())?.argv).toEqual(args);
  });

  it('passes neither secrets nor proxies of the machine on', async () => {
    await program().run([], never);
    const known = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];
    const names = Object.keys((await script.lastRun())?.env ?? {}).filter((name) => !known.includes(name));
    // NODE_OPTIONS is set for these tests themselves, so it would be seen.
    expect(names).toEqual([]);
  });

  it('says what to install when it is not there', async () => {
    const missing = new ResolverProgram('no-such-program', 'pip install it');
    expect([missing.installed(), program().installed()]).toEqual([false, true]);
    await expect(missing.run([], never)).rejects.toMatchObject({
      ...{ outcome: 'blocked', reason: 'program_missing' },
      message: expect.stringContaining('pip install it') as string,
    });
  });

  it('ends a run that takes too long, with all that it started', async () => {
    await script.will({ then: 'hang' });
    const run = program({ timeoutMs: 1_500, maxBytes: 1_000 }).run([], never);
    await expect(run).rejects.toMatchObject({ reason: 'stalled' });
    const left = await script.lastRun();
    if (left !== null) expect([await isGone(left.pid), await isGone(left.childPid)]).toEqual([true, true]);
  });

  it('ends a run that writes without end', async () => {
    await script.will({ then: 'flood' });
    const run = program({ timeoutMs: 60_000, maxBytes: 100_000 }).run([], never);
    await expect(run).rejects.toMatchObject({ reason: 'budget_exceeded' });
    expect(await isGone((await script.lastRun())?.pid ?? null)).toBe(true);
  });

  it('ends a run when told to, with all that it started', async () => {
    await script.will({ then: 'hang' });
    const stop = new AbortController();
    const run = program().run([], stop.signal);
    const { pid, childPid } = await started();
    stop.abort();
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    expect([await isGone(pid), await isGone(childPid)]).toEqual([true, true]);
  });
});
