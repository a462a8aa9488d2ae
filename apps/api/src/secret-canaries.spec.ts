import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { connectRedis } from '#libs/bus/redis.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { createApp } from './create-app.js';

const canary = (name: string): string => `canary-${name}-${randomBytes(16).toString('hex')}`;

describe('secrets', () => {
  const lines: string[] = [];
  const logger = createLogger('api', 'trace', { write: (line) => void lines.push(line) });
  const secrets: Record<string, string> = Object.fromEntries(
    ['jwt', 'sealing', 'smtp', 'admin', 'metrics', 'wrong', 'agent', 'webhook', 'reset'].map((name) => [
      name,
      canary(name),
    ]),
  );
  const answers: string[] = [];
  let database: TestDatabase;
  let evidence: string;
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    evidence = await mkdtemp(join(tmpdir(), 'vigil-canary-'));
    const redis = connectRedis(testRedisUrl(9), 'wipe', createLogger('test', 'silent'));
    await redis.flushdb();
    redis.disconnect();
    const env = {
      ...{ NODE_ENV: 'test', DATABASE_URL: database.url, REDIS_URL: testRedisUrl(9) },
      ...{ EVIDENCE_URL: pathToFileURL(evidence).href, JWT_SECRET: secrets['jwt'], SECRETS_KEY: secrets['sealing'] },
      ...{ SMTP_URL: `smtp://user:${String(secrets['smtp'])}@127.0.0.1:1`, METRICS_TOKEN: secrets['metrics'] },
      ...{ DEFAULT_ADMIN_PASSWORD: secrets['admin'], LOG_LEVEL: 'trace' },
    };
    app = await createApp(parseSettings(apiSettings, env), logger);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  }, 60_000);
  afterAll(async () => {
    await app.close();
    await database.drop();
    await rm(evidence, { recursive: true, force: true });
  });

  async function call(method: string, path: string, body: unknown, token?: string): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (response.status >= 400) answers.push(text);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  it('are in no log, no error, no row and no key of Redis', async () => {
    const signedIn = await call('POST', '/api/auth/login', { username: 'admin', password: secrets['admin'] });
    const token = String(signedIn['accessToken']);
    expect(token.length).toBeGreaterThan(20);
    Object.assign(secrets, { access: token, refresh: String(signedIn['refreshToken']) });
    await call('POST', '/api/auth/login', { username: 'admin', password: secrets['wrong'] });
    await call('POST', '/api/auth/login', { username: 'admin', password: { $secret: secrets['wrong'] } });
    await call('POST', '/api/auth/token-verify', { token: secrets['wrong'] });
    await call('POST', '/api/auth/reset-password', { token: secrets['reset'], newPassword: secrets['wrong'] });
    await call('GET', `/api/streams?token=${String(secrets['wrong'])}`, undefined, secrets['wrong']);
    await call('POST', '/api/agents', { username: 'eva', email: 'eva@example.com', password: secrets['agent'] }, token);
    const service = await call('POST', '/api/service-tokens', { name: 'door', scopes: ['chat:push'] }, token);
    const hook = await call('POST', '/api/webhooks', { url: `https://hooks.example/${canary('path')}` }, token);
    for (const [name, value] of Object.entries({ service: service['token'], hookSecret: hook['secret'] })) {
      if (typeof value === 'string') secrets[name] = value;
    }
    await call('POST', '/api/auth/forgot-password', { email: 'eva@example.com' });
    logger.error(
      {
        deep: { list: [{ body: { password: secrets['wrong'] } }] },
        error: new Error(`smtp://u:${String(secrets['smtp'])}@h`),
      },
      `http://x/?token=${String(secrets['wrong'])}`,
    );

    const rows: string[] = [];
    const source = app.get(DataSource, { strict: false });
    const tables = await source.query<{ name: string }[]>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables) {
      rows.push(
        ...(await source.query<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`)).map(
          ({ row }) => `${name} ${row}`,
        ),
      );
    }
    expect(rows.some((row) => row.includes('eva@example.com'))).toBe(true);
    const redis = connectRedis(testRedisUrl(9), 'grep', createLogger('test', 'silent'));
    const kept: string[] = [];
    for (const key of await redis.keys('*')) {
      const dump = await redis.dumpBuffer(key);
      kept.push(`${key} ${dump?.toString('latin1') ?? ''}`);
    }
    redis.disconnect();
    expect(lines.length).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(secrets)) {
      for (const [place, texts] of Object.entries({ log: lines, answer: answers, row: rows, redis: kept })) {
        expect([name, place, texts.filter((text) => text.includes(value))]).toEqual([name, place, []]);
      }
    }
  }, 60_000);

  it('nor can anybody write a line of the log, whatever they send', async () => {
    const before = lines.length;
    logger.warn({ path: 'a\n{"level":"error","msg":"forged"}' }, 'b\r\n{"level":"error","msg":"forged"}');
    await call('GET', `/api/${encodeURIComponent('x\n{"msg":"forged"}')}`, undefined);
    const written = lines.slice(before);
    expect(written.length).toBeGreaterThan(0);
    for (const line of written) {
      expect(line.trimEnd().split(/[\r\n]/)).toHaveLength(1);
      expect((JSON.parse(line) as { msg: string }).msg).not.toBe('forged');
    }
  });
});
