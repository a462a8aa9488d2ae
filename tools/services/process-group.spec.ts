import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processIdentity } from './process-identity.js';
import { ProcessGroup } from './process-group.js';
import { ManagedProcess, type ProcessOptions } from './process.js';

const READY = "process.stdout.write('up\\n');setInterval(() => {}, 1000);";
const node = (name: string, script: string, more: Partial<ProcessOptions> = {}): ManagedProcess =>
  new ManagedProcess({ name, command: process.execPath, args: ['-e', script], ready: { line: /^up$/ }, ...more });

const gone = async (pid: number): Promise<boolean> => {
  for (const until = Date.now() + 10_000; Date.now() < until;) {
    if (processIdentity(pid) === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

describe('a process group', () => {
  it('stops its parts in reverse order and leaves none behind', async () => {
    const ended: string[] = [];
    const group = new ProcessGroup(() => undefined);
    const parts = ['first', 'second', 'third'].map((name) => node(name, READY));
    for (const part of parts) {
      part.onExit(() => ended.push(part.name));
      await group.run(part);
    }
    const pids = parts.map(({ pid }) => pid ?? 0);
    await group.stop();
    expect(ended).toEqual(['third', 'second', 'first']);
    expect(pids.map(processIdentity)).toEqual([null, null, null]);
  });

  it('ends a process that ignores the request to stop, with the children it left in its group', async () => {
    const stubborn = node(
      'stubborn',
      `process.on('SIGTERM', () => {});
       const child = require('node:child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'ignore' });
       process.stdout.write('child ' + child.pid + '\\n'); ${READY}`,
      { graceMs: 300 },
    );
    await stubborn.start();
    const child = Number(/child (\d+)/.exec(stubborn.lastLines.join('\n'))?.[1]);
    await stubborn.stop();
    expect(await stubborn.exited).toEqual({ code: null, signal: 'SIGKILL', asked: true });
    expect(await gone(child)).toBe(true);
  });

  it('holds nothing of a process that is gone, though something that it left behind still has its output', async () => {
    const pipes = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const before = pipes();
    // In a group of its own, so that it is not ended with its parent.
    const parent = node(
      'parent',
      `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' });
       process.stdout.write('child ' + child.pid + '\\n'); ${READY}`,
    );
    await parent.start();
    const child = Number(/child (\d+)/.exec(parent.lastLines.join('\n'))?.[1]);
    try {
      await parent.stop();
      for (const until = Date.now() + 5_000; pipes() > before && Date.now() < until;) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(pipes()).toBeLessThanOrEqual(before);
      expect(processIdentity(child)).not.toBeNull();
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });

  it('starts a process again when it dies, and gives up when its budget is used up', async () => {
    const said: string[] = [];
    const group = new ProcessGroup((text) => said.push(text));
    const process = node('mortal', READY);
    await group.run(process, { restarts: 1, withinMs: 60_000 });
    const failed = new Promise((resolve) => group.failed.addEventListener('abort', resolve));
    const first = process.pid;
    process.kill('SIGKILL');
    while (!said.some((text) => text.includes('runs again'))) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(process.pid).not.toBe(first);
    process.kill('SIGKILL');
    await failed;
    expect(String(group.failed.reason)).toContain('giving up');
    await group.stop();
  });

  it('tells what a process said last when it ends while it starts', async () => {
    const broken = node('broken', "console.error('no such table'); process.exit(3)");
    await expect(broken.start()).rejects.toThrow(/broken ended while it started \(exit code 3\).*no such table/s);
  });

  it('keeps a line with a secret out of the log', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'vigil-log-'));
    const logFile = join(directory, 'x.log');
    const talker = node('talker', `console.log('password 123'); ${READY}`, {
      logFile,
      onLine: (line) => (line.startsWith('password') ? null : line),
    });
    await talker.start();
    await talker.stop();
    expect(readFileSync(logFile, 'utf8')).toBe('up\n');
    rmSync(directory, { recursive: true });
  });

  it('is ended by the guardian when its owner is killed without a chance to do so', async () => {
    const module = fileURLToPath(new URL('./process.js', import.meta.url));
    const script = `import(${JSON.stringify(module)}).then(async ({ ManagedProcess }) => {
      const p = new ManagedProcess({ name: 'x', command: process.execPath, args: ['-e', ${JSON.stringify(READY)}], ready: { line: /^up$/ } });
      await p.start();
      process.stdout.write('pid ' + p.pid + '\\n');
    })`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      owner.stdout.on('data', (chunk: Buffer) => {
        const match = /pid (\d+)/.exec(String(chunk));
        if (match !== null) resolve(Number(match[1]));
      });
    });
    expect(processIdentity(pid)).not.toBeNull();
    owner.kill('SIGKILL');
    expect(await gone(pid)).toBe(true);
  });
});
