import { parseArgs } from 'node:util';
import { loadEnvFile, loadSettings } from '#libs/config/environment.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { AppError } from '#libs/errors/app-error.js';
import { checkSchema } from '../apps/api/src/database/schema-check.js';
import { createDatabase, emptyDatabase, migrateDatabase } from './db/schema-tasks.js';
import { runCommand } from './services/command.js';
import { confirmed } from './services/confirm.js';
import { databaseUrl } from './services/local-database.js';
import { stackSettings } from './services/stack.js';

const USAGE = `usage: npm run db:init | db:migrate | db:check | db:reset [-- --yes] [--force]

Works on the database that DATABASE_URL names, or on the one of \`npm start\`, running or not.

  db:init     makes the database where it is missing, and its schema; what is there stays
  db:migrate  brings the schema up to date
  db:check    tries all migrations up, down and up in a database of its own on the same server, and compares the
              schema with the code; exit code 1 and a line for each difference
  db:reset    removes everything in the database and makes the schema anew; asks first
    --yes     does not ask
    --force   also when NODE_ENV is production
`;

const TASKS = ['init', 'migrate', 'check', 'reset'] as const;
type Task = (typeof TASKS)[number];

interface Chosen {
  task: Task;
  yes: boolean;
  force: boolean;
}

function readArguments(): Chosen | null {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values, positionals } = parseArgs({ options: { yes: flag, force: flag }, allowPositionals: true });
    const task = TASKS.find((name) => name === positionals[0]);
    if (task === undefined || positionals.length > 1 || (task !== 'reset' && (values.yes || values.force))) return null;
    return { task, ...values };
  } catch {
    return null;
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
/** Which database, for a person: never its password. */
const nameOf = (url: string): string => `${new URL(url).pathname.slice(1)} on ${new URL(url).host}`;

async function migrated(url: string): Promise<void> {
  const ran = await migrateDatabase(url);
  for (const name of ran) print(`ran ${name}`);
  print(
    ran.length === 0 ? `The schema of ${nameOf(url)} was up to date.` : `The schema of ${nameOf(url)} is up to date.`,
  );
}

async function check(url: string): Promise<number> {
  const { faults, pending } = await checkSchema(url);
  for (const fault of faults) print(fault);
  for (const name of pending) print(`not run yet: ${name} (npm run db:migrate)`);
  const well = faults.length === 0 && pending.length === 0;
  if (well) print(`All is well: migrations run up, down and up, and ${nameOf(url)} is what they make.`);
  return well ? 0 : 1;
}

/** @throws AppError `db.production`, `db.unconfirmed`, `db.in_use` */
async function reset(url: string, { yes, force }: Chosen, production: boolean): Promise<void> {
  if (production && !force) {
    throw new AppError('db.production', 'user', 'NODE_ENV is production: the database is reset only with --force.');
  }
  if (!yes && !(await confirmed(`Remove everything in the database ${nameOf(url)}?`))) {
    throw new AppError('db.unconfirmed', 'user', `Nothing was removed from ${nameOf(url)}. Say so by --yes.`);
  }
  await emptyDatabase(url);
  await migrated(url);
  print('Evidence files stay where EVIDENCE_URL says: remove them by hand. The next start makes a first admin.');
}

const chosen = readArguments();
if (chosen === null) {
  const asked = process.argv.some((argument) => argument === '--help' || argument === '-h');
  (asked ? process.stdout : process.stderr).write(USAGE);
  process.exit(asked ? 0 : 2);
}

loadEnvFile();
await runCommand(async ({ group, say }) => {
  const settings = loadSettings({ NODE_ENV: apiSettings.NODE_ENV, DATABASE_URL: stackSettings.DATABASE_URL });
  const url = await databaseUrl(settings.DATABASE_URL, group, say, `npm run db:${chosen.task}`);
  if (chosen.task === 'check') return check(url);
  if (chosen.task === 'reset') await reset(url, chosen, settings.NODE_ENV === 'production');
  else {
    if (chosen.task === 'init' && (await createDatabase(url))) print(`Made the database ${nameOf(url)}.`);
    await migrated(url);
  }
  return 0;
});
