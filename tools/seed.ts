import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadEnvFile, loadSettings } from '#libs/config/environment.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { AppError } from '#libs/errors/app-error.js';
import { seedDatabase } from './seed/seed-database.js';
import { runCommand } from './services/command.js';
import { confirmed } from './services/confirm.js';
import { databaseUrl } from './services/local-database.js';
import { stackSettings } from './services/stack.js';

const USAGE = `usage: npm run seed -- --detections N [--streams S] [--agents A] [--days D] [--seed X] [--yes] [--force]

Adds made-up rows to the database that DATABASE_URL names, or to the one of \`npm start\`, running or not: N detections
with verdicts, transcripts, notifications and entries of the audit trail over the last D days (30), on S streams (50)
that are not watched and that A agents (20) look after. What is there stays; lists of detections may wait meanwhile.

  --seed X   other rows than with the default 1
  --yes      do not ask before rows are added to a database on another machine
  --force    also when NODE_ENV is production
`;

const whole = (most: number): z.ZodType<number> => z.coerce.number().int().min(1).max(most);
const Arguments = z.object({
  detections: whole(50_000_000),
  streams: whole(5_000).default(50),
  agents: whole(1_000).default(20),
  days: whole(3_650).default(30),
  seed: whole(1_000_000).default(1),
  yes: z.boolean().default(false),
  force: z.boolean().default(false),
});

function readArguments(): z.infer<typeof Arguments> | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { detections: text, streams: text, agents: text, days: text, seed: text, yes: flag, force: flag };
  try {
    return Arguments.safeParse(parseArgs({ options }).values).data ?? null;
  } catch {
    return null;
  }
}

/** @throws AppError `seed.unconfirmed` unless the database is on this machine or a person agrees. */
async function confirm(url: string): Promise<void> {
  const { hostname, pathname } = new URL(url);
  if (['127.0.0.1', 'localhost', '[::1]', ''].includes(hostname)) return;
  const question = `Add made-up rows to the database ${pathname.slice(1)} on ${hostname}?`;
  if (await confirmed(question)) return;
  throw new AppError('seed.unconfirmed', 'user', `Nothing was added. ${question} Say so by --yes.`);
}

if (process.argv.some((argument) => argument === '--help' || argument === '-h')) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const chosen = readArguments();
if (chosen === null) {
  process.stderr.write(USAGE);
  process.exit(2);
}

loadEnvFile();
await runCommand(async ({ group, say }) => {
  const { NODE_ENV, DATABASE_URL } = loadSettings({
    NODE_ENV: apiSettings.NODE_ENV,
    DATABASE_URL: stackSettings.DATABASE_URL,
  });
  const { yes, force, ...amounts } = chosen;
  if (NODE_ENV === 'production' && !force) {
    throw new AppError('seed.production', 'user', 'NODE_ENV is production: made-up rows are added only with --force.');
  }
  const url = await databaseUrl(DATABASE_URL, group, say, 'npm run seed');
  if (!yes) await confirm(url);
  const made = await seedDatabase(url, { ...amounts, now: new Date(), say });
  process.stdout.write(
    `Added ${made.detections} detections, ${made.transcripts} transcripts, ${made.notifications} notifications and ` +
      `${made.auditEntries} entries of the audit trail on ${made.streams} streams in ${made.seconds} s.\n` +
      `${made.agents} agents sign in as seed-agent-001 and so on with the password ${made.agentPassword}\n`,
  );
  return 0;
});
