import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadEnvFile, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { apiSettings, monitorSettings } from '#libs/config/shared.settings.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { messageOf } from '#libs/errors/app-error.js';
import { AlertWatch } from './demo/alert-watch.js';
import { DEMO_USAGE, parseDemoArguments, type DemoArguments } from './demo/arguments.js';
import { KEYWORDS, SCRIPT } from './demo/chat-script.js';
import { DemoClient } from './demo/client.js';
import { findingOf, lineOf } from './demo/finding.js';
import { Inbox } from './demo/inbox.js';
import { InboxPage } from './demo/inbox-page.js';
import { CHANNEL, startChat } from './demo/irc-server.js';
import { makeLoopClip } from './demo/loop-clip.js';
import { startMailServer } from './demo/mail-server.js';
import { startOrigin, type Origin } from './demo/origin.js';
import { PartsWatch } from './demo/parts-watch.js';
import { DemoReport } from './demo/report.js';
import { WantedKinds, type Wanted } from './demo/wanted-kinds.js';
import { WatchPage } from './demo/watch-page.js';
import { aborted, runCommand, type CommandContext } from './services/command.js';
import { ensureFfmpeg } from './services/ffmpeg.js';
import { lockInstance } from './services/instance-lock.js';
import { prepareStateDirectory } from './services/preflight.js';
import { startStack, table } from './services/stack.js';

const STREAM_NAME = 'Vigil demo';
const ORIGIN_PORT = 3080;
/** What can be heard in the stream without a speech model. */
const SIGNALS = ['loudness_jump', 'dead_air'] as const;
/** Time after the deadline in which the reason may be asked for. */
const SAY_WHY_MS = 12_000;
/** The address of the demo's admin; the demo's mail server takes mails for every address. */
const ADMIN_EMAIL = 'admin@vigil-demo.example';
/** An alert takes further hits for so long, ms: a second start of the demo is not told of by the mails of the first. */
const MAIL_EVERY_MS = 60_000;
const LATE = 'Vigil was not ready in time';

/**
 * Starts everything and watches the demo's stream, until all that is waited for came or `signal` aborts.
 * @returns why it was not enough; null when it was, or nothing is waited for
 */
async function demo(
  context: CommandContext,
  args: DemoArguments,
  report: DemoReport,
  signal: AbortSignal,
): Promise<string | null> {
  const { group, say } = context;
  const stateDir = join(repositoryRoot, '.vigil', 'demo');
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(join(repositoryRoot, '.vigil'), 'npm run demo');
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  report.event('starting', { stateDir }, 'Starting Vigil and its demo stream …');

  const page = new WatchPage();
  const inbox = await Inbox.open(join(stateDir, 'mails'));
  const mails = new InboxPage(inbox);
  const mailServer = await group.add('mail', () => startMailServer((raw) => inbox.keep(raw)));
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
      pages: (path, response) => mails.pages(path, response) || page.pages(path, response),
    });
  });
  const chat = await group.add('chat', () => startChat(SCRIPT));
  report.event('origin', { url: origin.url, chat: chat.url }, null);

  const account = demoAccount(stateDir);
  const { EGRESS_ALLOW: allowed } = loadSettings({ EGRESS_ALLOW: monitorSettings.EGRESS_ALLOW });
  const watch = `http://${origin.address}/`;
  const stack = await startStack(group, {
    stateDir,
    say: args.json ? say : (text) => report.event('progress', {}, text),
    env: {
      DEFAULT_ADMIN_USERNAME: account.username,
      DEFAULT_ADMIN_PASSWORD: account.password,
      EGRESS_ALLOW: [allowed, origin.address, chat.address].filter((entry) => entry !== '').join(','),
      TWITCH_IRC_URL: chat.url,
      DEFAULT_ADMIN_EMAIL: ADMIN_EMAIL,
      SMTP_URL: mailServer.url,
      PUBLIC_URL: watch,
      NOTIFY_GROUP_INTERVAL_MS: String(MAIL_EVERY_MS),
    },
  });
  const places = { inbox: `${watch}inbox`, docs: `${stack.apiUrl}/docs` };
  const rows = [
    ...stack.rows,
    ['demo stream', origin.url],
    ['demo chat', `${chat.url} (a script, not Twitch)`],
    ['watch it', watch],
    ['inbox', `${places.inbox} (mails go nowhere else)`],
    ['log in as', `${account.username} / ${account.password}`],
  ] as const;
  report.event(
    'ready',
    { api: `${stack.apiUrl}/api`, ...places, monitor: stack.monitorUrl, watch, stream: origin.url },
    `\nVigil runs.\n\n${table(rows)}\n`,
  );

  const client = new DemoClient(stack.apiUrl, account);
  await client.login();
  await client.watchFor('person');
  for (const keyword of KEYWORDS) await client.listenFor(keyword);
  for (const name of SIGNALS) await client.tellOf(name);
  const place = { platform: 'twitch', channel: CHANNEL };
  const streamId = await client.ensureStream({ name: STREAM_NAME, url: origin.url, chat: place });
  const wanted = new WantedKinds(args.until ?? []);
  const saw = (kind: Wanted): void => {
    if (!wanted.saw(kind)) return;
    const { missing } = wanted;
    const words = missing.length === 0 ? null : `There is: ${kind}. Waiting for ${missing.join(', ')} …`;
    report.event('until', { found: kind, missing }, words);
  };
  const alerts = new AlertWatch(client.vigil, inbox, places, report, saw);
  inbox.told = (mail) => void alerts.mail(mail);
  const socket = client.listen({
    detection: (detection) => {
      if (detection.streamId !== streamId) return;
      tell(detection, client, origin, page, report);
      saw(detection.kind);
    },
    transcript: ({ streamId: id, id: segment, text, language, engine, model, startedAt }) => {
      if (id !== streamId) return;
      page.caption(segment, text, Date.parse(startedAt));
      report.event('transcript', { text, language, engine, model, startedAt }, `said   ${text}  (${engine}, ${model})`);
    },
    status: ({ streamId: id, status, detail }) => {
      if (id === streamId)
        report.event('status', { status, detail }, `stream: ${status}${detail === '' ? '' : `, ${detail}`}`);
    },
  });
  await group.add('client', async () => ({ stop: async () => void socket.close() }));
  await client.startMonitoring(streamId);
  report.event(
    'monitoring',
    { streamId },
    `Watching, listening to and reading the demo stream. Ctrl-C stops it all.\n`,
  );
  const parts = new PartsWatch(() => client.doing(streamId), page, report);
  await group.add('parts', async () => parts);
  await Promise.race([wanted.complete, aborted(signal)]);
  if (wanted.missing.length === 0 || context.signal.aborted) return null;
  return wanted.complaint(args.timeoutMs ?? 0, await client.doing(streamId));
}

function tell(detection: DetectionView, client: DemoClient, origin: Origin, page: WatchPage, report: DemoReport): void {
  const evidence = client.evidenceUrl(detection);
  const finding = findingOf(detection, evidence, origin.startedAt, Date.now());
  const { id, kind, label, detector, model, detail, quote, confidence, box, detectedAt } = detection;
  const line = lineOf(finding);
  report.event(
    'detection',
    {
      ...{ kind, label, detector, model, detail, quote, confidence, box, evidence },
      ...{ author: finding.speaker || null, latencyMs: finding.latencyMs, id, detectedAt },
    },
    evidence === null ? line : `${line}\n  ${evidence}`,
  );
  void page.add(finding);
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
  let failure: string | null;
  try {
    const running = demo(context, args, report, signal);
    running.catch(() => undefined);
    // When the time is up it still asks what was wrong.
    const late = aborted(deadline.signal).then(() => pause(SAY_WHY_MS, LATE));
    failure = (await Promise.race([running, late, aborted(context.signal)])) ?? null;
  } catch (error) {
    failure = deadline.signal.aborted ? LATE : messageOf(error);
  }
  clearTimeout(timer);
  if (context.group.failed.aborted) failure = messageOf(context.group.failed.reason);
  else if (context.signal.aborted && args.until !== null) failure = messageOf(context.signal.reason);
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
