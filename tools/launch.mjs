#!/usr/bin/env node
/**
 * Runs one of the project's commands on a machine that has only Node and npm: installs the dependencies when they are
 * missing or stale, compiles when a source changed, then runs `dist/tools/<command>.js`.
 *
 * Plain JavaScript without dependencies, because it runs before there are any. Everything it says goes to stderr, so
 * that stdout holds the command's output and nothing else.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, statSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMANDS = [
  'start',
  'demo',
  'test',
  'test-chaos',
  'doctor',
  'check',
  'bench',
  'generate',
  'seed',
  'db',
  'new',
  'try-channel',
  'try-detector',
  'try-stream',
  'try-phrases',
  'try-speech',
];
const SOURCE_FOLDERS = ['apps', 'libs', 'tools', 'test', 'clients'];
const OLDEST_NODE = [20, 19];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installRecord = join(root, 'node_modules', '.vigil-install');
const buildRecord = join(root, 'dist', '.vigil-build');

/** A fault that one sentence explains; no stack trace. */
class Fault extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const say = (text) => process.stderr.write(`vigil: ${text}\n`);
const digest = (text) => createHash('sha256').update(text).digest('hex');
const readOr = (path, fallback) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
};

/** The sentence for a failed write, or the error itself when it is of another sort. */
function explain(error) {
  if (error instanceof Fault) return error;
  if (error?.code === 'ENOSPC' || error?.code === 'EDQUOT') return fullDisk();
  if (['EACCES', 'EROFS', 'EPERM'].includes(error?.code)) {
    return new Fault(
      `cannot write to ${error.path ?? root} (${error.code}): make the folder writable for this user, or clone the project to a place where it is.`,
    );
  }
  return error;
}

const fullDisk = () =>
  new Fault(`the disk that holds ${root} is full: free at least 2 GB, then run the command again.`);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Fault(
    `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer (https://nodejs.org), then run the command again.`,
  );
}

/**
 * Whether what lies in node_modules is what package-lock.json asks for. The record of the last install answers that;
 * after a hand-made `npm ci` npm's own list of what it installed does.
 */
function dependenciesAreFresh() {
  const wanted = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const recorded = readOr(installRecord, null);
  if (recorded !== null) return recorded.trim() === digest(wanted);
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  return Object.entries(JSON.parse(wanted).packages).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    const there = installed[path];
    return there === undefined ? entry.optional === true || entry.peer === true : there.version === entry.version;
  });
}

/** Every source of the project, with size and time of change: a change to any of them asks for a build. */
function sources() {
  const found = [join(root, 'tsconfig.json'), join(root, 'package-lock.json')].filter(existsSync);
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') walk(path);
      } else if (/\.(ts|json)$/.test(entry.name)) found.push(path);
    }
  };
  for (const folder of SOURCE_FOLDERS) if (existsSync(join(root, folder))) walk(join(root, folder));
  return found.sort();
}

const sourceState = () =>
  digest(
    sources()
      .map((path) => {
        const { size, mtimeMs } = statSync(path);
        return `${relative(root, path)} ${size} ${mtimeMs}`;
      })
      .join('\n'),
  );

/** Removes compiled files whose source is gone, so that no deleted test runs on. */
function sweepBuild() {
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.js(\.map)?$/.test(entry.name)) {
        const source = join(root, relative(join(root, 'dist'), path)).replace(/\.js(\.map)?$/, '.ts');
        if (!existsSync(source)) rmSync(path, { force: true });
      }
    }
  };
  for (const folder of SOURCE_FOLDERS) if (existsSync(join(root, 'dist', folder))) walk(join(root, 'dist', folder));
}

/** Runs npm or tsc; resolves with its exit code and the last of what it wrote. */
function runQuietly(command, args, env, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    const lines = [];
    let rest = '';
    const take = (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        if (onLine(line)) lines.push(line);
        if (lines.length > 200) lines.shift();
      }
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running = null;
      if (rest !== '' && onLine(rest)) lines.push(rest);
      if (stopSignal !== null)
        reject(new Fault(`stopped by ${stopSignal}.`, 128 + (constants.signals[stopSignal] ?? 1)));
      else resolve({ code: code ?? 128 + (constants.signals[signal] ?? 1), lines });
    });
  });
}

async function install() {
  const total = Object.keys(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages).length - 1;
  say(`installing dependencies with npm ci (${total} packages; a minute or two the first time) …`);
  const startedAt = Date.now();
  const fetched = new Set();
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    say(`  ${seconds} s, ${fetched.size} of about ${total} packages fetched`);
  }, 10_000);
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_loglevel: 'http' };
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=http'];
  // Under `npm run` this names the very npm that runs us; it need not be on PATH.
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm && /npm-cli\.c?js$/.test(npm) ? [process.execPath, [npm]] : ['npm', []];
  try {
    const { code, lines } = await runQuietly(command, [...prefix, 'ci', ...flags], env, (line) => {
      if (!/^npm (http|warn)/i.test(line)) return true;
      const tarball = /(\S+\.tgz)/.exec(line);
      if (tarball) fetched.add(tarball[1]);
      return false;
    });
    if (code !== 0) {
      const output = lines.join('\n');
      if (/ENOSPC|no space left on device/i.test(output)) throw fullDisk();
      if (/\b(EROFS|EACCES)\b/.test(output)) say('npm may not write to the folder: make it writable for this user.');
      process.stderr.write(`${lines.slice(-25).join('\n')}\n`);
      throw new Fault(
        `npm ci failed (exit code ${code}); its last lines are above. Mend that, then run the command again.`,
      );
    }
  } catch (error) {
    if (error?.code === 'ENOENT')
      throw new Fault('npm was not found: install npm (it comes with Node), then run the command again.');
    throw error;
  } finally {
    clearInterval(progress);
  }
  writeFileSync(installRecord, `${digest(readFileSync(join(root, 'package-lock.json'), 'utf8'))}\n`);
  say(`dependencies installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

async function build() {
  say('compiling …');
  const state = sourceState();
  // The compiler trusts its own notes; without our record they may describe files that are gone.
  if (!existsSync(buildRecord)) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, lines } = await runQuietly(process.execPath, [tsc, '-p', 'tsconfig.json'], process.env, () => true);
  if (code !== 0) {
    process.stderr.write(`${lines.join('\n')}\n`);
    if (/ENOSPC|no space left on device/i.test(lines.join('\n'))) throw fullDisk();
    throw new Fault('the sources do not compile; the compiler says why above.');
  }
  sweepBuild();
  mkdirSync(dirname(buildRecord), { recursive: true });
  writeFileSync(buildRecord, `${state}\n`);
}

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error?.code === 'EPERM';
  }
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const LOCK_BEAT_MS = 2_000;
const LOCK_STALE_MS = 20_000;

/**
 * Runs work while no other launch installs or builds. The holder touches the lock file every two seconds: one whose
 * process is gone, or that was not touched for a while (its number may have been given to another process), is void.
 */
async function locked(work) {
  const path = join(root, '.vigil', 'launch.lock');
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; ;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      break;
    } catch (error) {
      if (error?.code !== 'EEXIST') throw error;
    }
    const holder = Number(readOr(path, ''));
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if ((holder > 0 && !alive(holder)) || age > LOCK_STALE_MS) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`another launch (process ${holder}) installs or compiles; waiting for it …`);
    told = true;
    await pause(300);
    if (stopSignal !== null) throw new Fault(`stopped by ${stopSignal}.`, 130);
  }
  const beat = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // The file went away with its folder; nothing is left to keep.
    }
  }, LOCK_BEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(beat);
    rmSync(path, { force: true });
  }
}

/** What runs at the moment, so that signals reach it. */
let running = null;
let stopSignal = null;

async function run(command, args) {
  const entry = join(root, 'dist', 'tools', `${command}.js`);
  if (!existsSync(entry))
    throw new Fault(`the command ${command} is not part of this copy: ${relative(root, entry)} is missing.`);
  if (stopSignal !== null) throw new Fault(`stopped by ${stopSignal}.`, 130);
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...args], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    // The fourth channel carries nothing: its closing tells the command that this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  running = child;
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (...how) => resolve(how));
  });
  running = null;
  return code ?? 128 + (constants.signals[signal] ?? 1);
}

async function main() {
  checkNode();
  const [command, ...args] = process.argv.slice(2);
  if (!COMMANDS.includes(command)) {
    const usage = `usage: node tools/launch.mjs <command> [arguments]\ncommands: ${COMMANDS.join(', ')}`;
    if (command === '--help' || command === '-h') {
      say(usage);
      return 0;
    }
    throw new Fault(usage, 2);
  }
  const ready = () => dependenciesAreFresh() && readOr(buildRecord, '').trim() === sourceState();
  if (!ready()) {
    await locked(async () => {
      if (!dependenciesAreFresh()) await install();
      if (readOr(buildRecord, '').trim() !== sourceState()) await build();
    });
  }
  return await run(command, args);
}

function stop(signal) {
  stopSignal ??= signal;
  running?.kill(signal);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
// npm puts a shell between itself and this process, and passes SIGTERM to the shell only, which dies of it silently.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop('SIGTERM');
  }, 300);
  watch.unref();
}

try {
  process.exitCode = await main();
} catch (error) {
  const fault = explain(error);
  if (fault instanceof Fault) say(fault.message);
  else say(`failed: ${fault?.stack ?? fault}`);
  process.exitCode = fault instanceof Fault ? fault.exitCode : 1;
}
