// Executes the steps of a Dockerfile in a plain Debian root, for machines without a container engine:
//   node docker/steps.mjs docker/api.Dockerfile /var/tmp/vigil-api
// Needs root, debootstrap, and the npm and Node of this machine, which stand for the ones of the base image. It knows
// the instructions that our two files use, and refuses any other. It leaves the root of the last stage in the folder,
// and prints how to start what is in it; the layers, the health check and the limits of an engine it does not imitate.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEBIAN = 'trixie';
const [file, folder] = process.argv.slice(2);
if (file === undefined || folder === undefined || process.getuid?.() !== 0) {
  process.stderr.write('usage, as root: node docker/steps.mjs <Dockerfile> <empty folder>\n');
  process.exit(2);
}
const context = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = resolve(folder);

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error !== undefined || status !== 0) {
    process.stderr.write(`failed: ${command} ${args.join(' ')} (${error?.message ?? `exit code ${status}`})\n`);
    process.exit(1);
  }
}

/** A Debian with the Node of this machine and the user `node`, as the base image is made. */
function baseRoot() {
  const root = `${target}.base`;
  if (existsSync(join(root, '.complete'))) return root;
  rmSync(root, { recursive: true, force: true });
  run('debootstrap', ['--variant=minbase', DEBIAN, root]);
  const prefix = resolve(dirname(process.execPath), '..');
  for (const path of ['bin/node', 'bin/npm', 'bin/npx', 'lib/node_modules/npm']) {
    mkdirSync(dirname(join(root, 'usr/local', path)), { recursive: true });
    cpSync(join(prefix, path), join(root, 'usr/local', path), { recursive: true, verbatimSymlinks: true });
  }
  run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node']);
  writeFileSync(join(root, '.complete'), '');
  return root;
}

/** Instructions with their text, continuation lines joined, comments left out. */
const instructions = readFileSync(resolve(file), 'utf8')
  .split('\n')
  .filter((line) => !line.trimStart().startsWith('#'))
  .join('\n')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => /^(\S+)\s+(.*)$/s.exec(line.trim()).slice(1));

const stages = new Map();
let stage = null;

const steps = {
  ARG: () => undefined,
  FROM(text) {
    const name = / AS (\S+)$/i.exec(text)?.[1] ?? 'last';
    const root = `${target}.${name}`;
    rmSync(root, { recursive: true, force: true });
    run('cp', ['-a', baseRoot(), root]);
    stage = {
      root,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      workdir: '/',
      user: 'root',
      start: [],
    };
    stages.set(name, stage);
  },
  ENV(text) {
    for (const [, name, value] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
  },
  WORKDIR(text) {
    stage.workdir = text;
    mkdirSync(join(stage.root, text), { recursive: true });
  },
  COPY(text) {
    const parts = text.split(/\s+/);
    const from = parts[0].startsWith('--from=') ? stages.get(parts.shift().slice('--from='.length)).root : context;
    const to = parts.pop();
    const place = join(stage.root, resolve(stage.workdir, to));
    for (const source of parts) {
      const origin = from === context ? join(context, source) : join(from, source);
      const many = parts.length > 1 || to.endsWith('/');
      mkdirSync(many ? place : dirname(place), { recursive: true });
      const skip = (path) => !/(^|\/)(node_modules|dist|\.git|\.vigil)(\/|$)/.test(path.slice(context.length));
      const filter = from === context ? skip : undefined;
      const end = many ? join(place, source.split('/').pop()) : place;
      cpSync(origin, end, { recursive: true, verbatimSymlinks: true, filter });
    }
  },
  RUN(text) {
    process.stdout.write(`RUN ${text}\n`);
    // How this machine reaches its registries is no part of the image.
    const home = join(stage.root, 'root');
    const lent = [
      [join(homedir(), '.npmrc'), join(home, '.npmrc')],
      ['/etc/resolv.conf', join(stage.root, 'etc/resolv.conf')],
      ['/etc/ssl/certs/ca-certificates.crt', join(home, 'authorities.pem')],
    ].filter(([source]) => existsSync(source));
    for (const [source, copy] of lent) cpSync(source, copy, { dereference: true });
    const authorities = { NODE_EXTRA_CA_CERTS: '/root/authorities.pem' };
    const env = { ...process.env, ...authorities, ...stage.env, HOME: '/root', DEBIAN_FRONTEND: 'noninteractive' };
    run('chroot', [stage.root, 'sh', '-ec', `cd ${stage.workdir}; ${text}`], { env });
    for (const [, copy] of lent) rmSync(copy, { force: true });
  },
  USER(text) {
    stage.user = text;
  },
  ENTRYPOINT(text) {
    stage.start = JSON.parse(text);
  },
  CMD(text) {
    stage.start.push(...JSON.parse(text));
  },
  VOLUME: () => undefined,
  EXPOSE: () => undefined,
  HEALTHCHECK: () => undefined,
};

for (const [name, text] of instructions) {
  const step = steps[name];
  if (step === undefined) {
    process.stderr.write(`${name} is not known here\n`);
    process.exit(1);
  }
  step(text);
}

const { root, env, workdir, user, start } = stage;
const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
const command = `cd ${workdir} && exec env -i ${words.join(' ')} "$@" ${start.join(' ')}`;
writeFileSync(join(root, 'start.sh'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
process.stdout.write(`\nEvery step ran. Start it, with further settings as NAME=value:\n`);
process.stdout.write(`  chroot --userspec=${user} ${root} /start.sh NAME=value …\n`);
