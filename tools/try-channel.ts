import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { childEnvironment, loadEnvFile } from '#libs/config/environment.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { messageOf } from '#libs/errors/app-error.js';
import { registry } from '../apps/api/src/notifications/channels/registry.js';
import { DeliveryFault, type ChannelMessage } from '../apps/api/src/notifications/channels/channel.port.js';

const usage = `Usage: npm run --silent try:channel -- <channel> '<target as JSON>'

Sends one message over a channel, as the api would with these settings, and says what the receiver calls it:
  {"channel","reference"}, or {"channel","error","permanent","retryAfterMs"} and exit code 1

  npm run --silent try:channel -- email '{"address":"you@example.com"}'
  npm run --silent try:channel -- telegram '{"chatId":"123456"}'

  --help    this text
`;

/** How long an attempt may take, as in the api. */
const PATIENCE_MS = 30_000;

/** What the api cannot do without, and a channel never asks for. */
const UNUSED = { DATABASE_URL: 'postgres://localhost/unused', REDIS_URL: 'redis://localhost' };

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const [id, target] = positionals;
    if (id === undefined || target === undefined) throw new Error(`Name a channel and where to send to.\n\n${usage}`);
    return await sendOnce(id, JSON.parse(target));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
}

async function sendOnce(id: string, target: unknown): Promise<number> {
  loadEnvFile();
  const settings = parseSettings(apiSettings, { ...UNUSED, ...childEnvironment() });
  const channels = registry.map((make) => make(settings));
  try {
    const channel = channels.find((one) => one.id === id);
    if (channel === undefined) {
      throw new Error(`There is no channel "${id}"; there are: ${channels.map((one) => one.id).join(', ')}.`);
    }
    if (!channel.works) throw new Error(`${channel.title} is not set up: see docs/configuration.md.`);
    const parsed = channel.target.safeParse(target);
    if (!parsed.success) throw new Error(`That is no target of ${id}: ${parsed.error.issues[0]?.message ?? ''}.`);
    const reference = await channel.send(message(), target, AbortSignal.timeout(PATIENCE_MS));
    process.stdout.write(`${JSON.stringify({ channel: id, reference })}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof DeliveryFault)) throw error;
    const { permanent, retryAfterMs } = error;
    process.stdout.write(`${JSON.stringify({ channel: id, error: error.message, permanent, retryAfterMs })}\n`);
    return 1;
  } finally {
    for (const channel of channels) channel.close();
  }
}

function message(): ChannelMessage {
  return {
    ...{ id: randomUUID(), title: 'A message to try the channel', body: 'Vigil can reach you here.', severity: 'info' },
    ...{ items: [], image: null, acknowledgedBy: null, traceparent: null, link: null },
  };
}
