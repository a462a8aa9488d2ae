import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { apiSettings, monitorSettings } from '#libs/config/shared.settings.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { messageOf } from '#libs/errors/app-error.js';
import { DEMO_USAGE, parseDemoArguments, type DemoArguments } from './demo/arguments.js';
import { DemoClient } from './demo/client.js';
import { makeLoopClip } from './demo/loop-clip.js';
import { startOrigin, type Origin } from './demo/origin.js';
import { DemoReport } from './demo/report.js';
import { WatchPage } from './demo/watch-page.js';
import { aborted, runCommand, type CommandContext } from './services/command.js';
import { ensureFfmpeg } from './services/ffmpeg.js';
import { lockInstance } from './services/instance-lock.js';
import { prepareStateDirectory } from './services/preflight.js';
import { startStack, table } from './services/stack.js';

const STREAM_NAME = 'Vigil demo';
const ORIGIN_PORT = 3080;

/** Starts everything and watches the demo's stream; settles when it is over, with the reason when it went wrong. */
async function demo(
  context: CommandContext,
  args: DemoArguments,
  report: DemoReport,
  signal: AbortSignal,
): Promise<void> {
  const { group, say } = context;
  const stateDir = join(repositoryRoot, '.vigil', 'demo');
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(join(repositoryRoot, '.vigil'), 'npm run demo');
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  report.event('starting', { stateDir }, 'Starting Vigil and its demo stream …');

  const page = new WatchPage();
  const origin = await group.add('origin', async () => {
    const ffmpeg = await ensureFfmpeg(say);
    const clip = await makeLoopClip(ffmpeg.path, stateDir, signal);
    const logFile = join(stateDir, 'logs', 'origin.log');
    const directory = join(stateDir, 'hls');
    return startOrigin({
      ffmpeg: ffmpeg.path,
      clip,
      directory,
      logFile,
      preferredPort: ORIGIN_PORT,
      pages: page.pages,
    });
  });
  report.event('origin', { url: origin.url }, null);

  const account = demoAccount(stateDir);
  const allowed = loadSettings({ EGRESS_ALLOW: monitorSettings.EGRESS_ALLOW }).EGRESS_ALLOW;
  const stack = await startStack(group, {
    stateDir,
    say: args.json ? say : (text) => report.event('progress', {}, text),
    env: {
      DEFAULT_ADMIN_USERNAME: account.username,
      DEFAULT_ADMIN_PASSWORD: account.password,
      EGRESS_ALLOW: [allowed, origin.address].filter((entry) => entry !== '').join(','),
    },
  });
  const watch = `http://${origin.address}/`;
  report.event(
    'ready',
    { api: `${stack.apiUrl}/api`, docs: `${stack.apiUrl}/docs`, monitor: stack.monitorUrl, watch, stream: origin.url },
    `\nVigil runs.\n\n${table([...stack.rows, ['demo stream', origin.url], ['watch it', watch], ['log in as', `${account.username} / ${account.password}`]])}\n`,
  );

  const client = new DemoClient(stack.apiUrl, account);
  await client.login();
  let seen: () => void = () => undefined;
  const enough = new Promise<void>((resolve) => (seen = resolve));
  await client.watchFor('person');
  const streamId = await client.ensureStream(STREAM_NAME, origin.url);
  const socket = client.listen({
    detection: (detection) => {
      if (detection.streamId !== streamId) return;
      tell(detection, client, origin, page, report);
      if (args.until === 'video') seen();
    },
    status: ({ streamId: id, status, detail }) => {
      if (id === streamId)
        report.event('status', { status, detail }, `stream: ${status}${detail === '' ? '' : `, ${detail}`}`);
    },
  });
  await group.add('client', async () => ({ stop: async () => void socket.close() }));
  await client.startMonitoring(streamId);
  report.event('monitoring', { streamId }, `Watching the demo stream for persons. Ctrl-C stops everything.\n`);
  await Promise.race([enough, aborted(signal)]);
}

function tell(detection: DetectionView, client: DemoClient, origin: Origin, page: WatchPage, report: DemoReport): void {
  const now = Date.now();
  const { id, kind, label, confidence, box, imageUrl, ptsMs, detectedAt } = detection;
  const passed = ptsMs === null ? -1 : Math.round(now - origin.onAirAt(ptsMs, now));
  // A time outside of this is none of this stream's clock, so it says nothing.
  const latencyMs = passed >= 0 && passed < 600_000 ? passed : null;
  const evidence = imageUrl === null ? null : client.evidenceUrl(imageUrl);
  const text = `${new Date(now).toLocaleTimeString()}  ${label} ${confidence.toFixed(2)}${latencyMs === null ? '' : `, ${latencyMs} ms after it was on air`}`;
  report.event(
    'detection',
    { kind, label, confidence, box, evidence, latencyMs, id, detectedAt, model: detection.model },
    evidence === null ? text : `${text}\n  ${evidence}`,
  );
  void page.add({ id, text, evidence });
}

/** The account of the demo: what the environment sets, else one that is made once and kept with the demo's data. */
function demoAccount(stateDir: string): { username: string; password: string } {
  const { DEFAULT_ADMIN_USERNAME: username, DEFAULT_ADMIN_PASSWORD: chosen } = loadSettings({
    DEFAULT_ADMIN_USERNAME: apiSettings.DEFAULT_ADMIN_USERNAME,
    DEFAULT_ADMIN_PASSWORD: apiSettings.DEFAULT_ADMIN_PASSWORD,
  });
  if (chosen !== undefined) return { username, password: chosen };
  const path = join(stateDir, 'admin-password');
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 });
  return { username, password: readFileSync(path, 'utf8').trim() };
}

const args = parseDemoArguments(process.argv.slice(2));
if (typeof args === 'string') {
  process.stderr.write(`${args}\n\n${DEMO_USAGE}`);
  process.exit(2);
}
if (args.help) {
  process.stdout.write(DEMO_USAGE);
  process.exit(0);
}

loadEnvFile();
const report = new DemoReport(args.json);
await runCommand(async (context) => {
  const deadline = new AbortController();
  const timer = args.timeoutMs === null ? undefined : setTimeout(() => deadline.abort(), args.timeoutMs);
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  let failure: string | null = null;
  try {
    const running = demo(context, args, report, signal);
    running.catch(() => undefined);
    await Promise.race([running, aborted(signal)]);
  } catch (error) {
    failure = messageOf(error);
  }
  clearTimeout(timer);
  if (context.group.failed.aborted) failure = messageOf(context.group.failed.reason);
  else if (context.signal.aborted && args.until !== null) failure = messageOf(context.signal.reason);
  else if (deadline.signal.aborted) failure = `nothing was found within ${(args.timeoutMs ?? 0) / 1000} s`;
  report.event('stopping', {}, 'Stopping …');
  await context.group.stop();
  if (failure === null) {
    report.event('stopped', {}, 'Stopped.');
    return 0;
  }
  report.event('failed', { reason: failure }, null);
  context.say(failure);
  return 1;
});
