import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import { connectRedis } from '#libs/bus/redis.js';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import { createLogger } from '#libs/observability/logger.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { TelegramServer } from '#libs/testing/telegram-server.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { openDatabase } from '../../apps/api/src/database/open-database.js';
import { until } from './fact-path.js';

const logger = createLogger('killed-sender', 'silent');
const KILLS = 3;
const CHAT = '4242';

describe('an api that is killed in the middle of a send', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let smtp: SmtpServer;
  let telegram: TelegramServer;
  let evidence: string;
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await openDatabase(database.url, logger);
    [smtp, telegram] = await Promise.all([SmtpServer.start(), TelegramServer.start()]);
    evidence = await mkdtemp(join(tmpdir(), 'vigil-evidence-'));
    const redis = connectRedis(testRedisUrl(12), 'wipe', logger);
    await redis.flushdb();
    redis.disconnect();
    await dataSource.query(
      `INSERT INTO users (username, email, password_hash, role) VALUES ('ann', 'ann@example.com', '-', 'admin')`,
    );
    await dataSource.query('INSERT INTO telegram_links (user_id, chat_id) SELECT id, $1 FROM users', [CHAT]);
  }, 30_000);

  afterAll(async () => {
    await kill();
    await Promise.all([smtp.stop(), telegram.stop()]);
    await dataSource.destroy();
    await database.drop();
    await rm(evidence, { recursive: true, force: true });
  });

  function start(): void {
    child = spawn(process.execPath, [join(repositoryRoot, 'dist', 'apps', 'api', 'src', 'main.js')], {
      stdio: 'ignore',
      env: childEnvironment({
        NODE_ENV: 'test',
        DATABASE_URL: database.url,
        REDIS_URL: testRedisUrl(12),
        EVIDENCE_URL: pathToFileURL(evidence).href,
        MAIN_APP_PORT: '0',
        LOG_LEVEL: 'silent',
        SMTP_URL: smtp.url,
        TELEGRAM_API_URL: telegram.url,
        TELEGRAM_BOT_TOKEN: telegram.token,
        DELIVERY_SEND_TIMEOUT_MS: '800',
        DELIVERY_RETRY_SCALE: '0.001',
        DELIVERY_AUDIT_MS: '200',
      }),
    });
  }

  async function kill(): Promise<void> {
    if (child === null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = null;
  }

  async function plant(channel: 'email' | 'telegram' = 'email', title = 'Hello'): Promise<string> {
    const [row] = await dataSource.query<{ id: string }[]>(
      `WITH n AS (INSERT INTO notifications (user_id, kind, title, body, severity)
                  SELECT id, 'message', $2, '', 'info' FROM users RETURNING id, user_id)
       INSERT INTO deliveries (id, kind, channel, user_id, notification_id, due_at)
       SELECT gen_random_uuid(), 'single', $1, user_id, id, now() FROM n RETURNING id`,
      [channel, title],
    );
    return row?.id ?? '';
  }

  const allSent = (): Promise<void> =>
    until(
      async () => {
        const [row] = await dataSource.query<{ open: string }[]>(
          `SELECT count(*) AS open FROM deliveries WHERE state <> 'sent'`,
        );
        return Number(row?.open) === 0;
      },
      'everything is sent',
      30_000,
    );

  it('loses no mail, and doubles at most one for each death', async () => {
    start();
    const planted: string[] = [];
    for (let death = 0; death < KILLS; death += 1) {
      const attempts = smtp.attempts;
      // The server has all of the mail, and keeps it; its answer comes too late for the one that asked.
      smtp.script.push({ reply: '250 taken', delayMs: 600 });
      planted.push(await plant());
      await until(() => smtp.attempts > attempts, 'a mail is under way', 30_000);
      await kill();
      start();
    }
    planted.push(await plant());
    await allSent();
    const ids = smtp.mails.map((mail) => mail.header('Message-ID'));
    expect(new Set(ids)).toEqual(new Set(planted.map((id) => `<${id}@deliveries.vigil>`)));
    expect(ids.length - planted.length).toBeLessThanOrEqual(KILLS);
    expect(ids.length).toBeGreaterThan(planted.length);
  }, 120_000);

  it('loses no message over Telegram, doubles at most one for each death, and keeps its pauses', async () => {
    const planted: string[] = [];
    const say = async (): Promise<void> => {
      planted.push(`Hello ${String(planted.length)}`);
      await plant('telegram', planted.at(-1));
    };
    for (let death = 0; death < KILLS; death += 1) {
      const calls = telegram.calls.length;
      // Taken at once; the answer comes too late for the one that asked.
      telegram.script.push({ delayMs: 600 });
      await say();
      await until(() => telegram.calls.length > calls, 'a message is under way', 30_000);
      await kill();
      telegram.script.push({ code: 500, description: 'Internal Server Error' }, { drop: true });
      start();
      await until(() => telegram.script.length === 0, 'it was refused and cut off', 30_000);
    }
    // A pause outlives the process that was told of it.
    telegram.script.push({ code: 429, description: 'Too Many Requests', retryAfter: 3 });
    await say();
    const held = async (): Promise<boolean> =>
      (await dataSource.query<unknown[]>('SELECT 1 FROM delivery_holds WHERE until > now()')).length > 0;
    await until(held, 'the pause is on record', 30_000);
    await kill();
    await say();
    start();
    await allSent();
    const texts = telegram.chat(CHAT).map(({ text }) => /Hello \d+/.exec(text)?.[0]);
    expect(new Set(texts)).toEqual(new Set(planted));
    expect(texts.length - planted.length).toBeLessThanOrEqual(KILLS);
    expect(texts.length).toBeGreaterThan(planted.length);
    expect(telegram.early).toEqual([]);
  }, 120_000);
});
