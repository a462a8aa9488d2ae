import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Body, Controller, Module, Post, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';
import { z } from 'zod';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { AppError } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { AppModule } from '../app.module.js';
import { AccessTokens } from '../auth/access-tokens.js';
import { RefreshTokens } from '../auth/refresh-tokens.js';
import { TransactionRunner } from '../database/transaction.js';
import { UsersService } from '../users/users.service.js';
import { configureHttp } from './configure.js';
import { Tagged } from './etag.js';
import { Idempotent } from './idempotent.js';

const Thing = z.strictObject({ name: z.string(), fail: z.boolean().optional(), wait: z.boolean().optional() });

let made = 0;
let open: () => void = () => undefined;
let arrived: () => void = () => undefined;

@Controller('things')
class Things {
  @Post()
  @Idempotent()
  @Tagged((thing: { number: number }) => thing.number)
  async make(
    @Body({ schema: Thing }) { name, fail, wait }: z.infer<typeof Thing>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ name: string; number: number; password: string }> {
    made += 1;
    const number = made;
    if (fail === true) throw new AppError('thing.conflict', 'user', 'not this one');
    if (wait === true) {
      const gate = new Promise<void>((resolve) => (open = resolve));
      arrived();
      await gate;
    }
    response.setHeader('Location', `/api/things/${String(number)}`);
    return { name, number, password: 'shown once' };
  }
}

describe('creations with an Idempotency-Key', () => {
  let database: TestDatabase;
  let app: NestExpressApplication;
  let url: string;
  let alice: string;
  let bob: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const settings = parseSettings(apiSettings, {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(12),
      EVIDENCE_URL: pathToFileURL(tmpdir()).href,
      DEFAULT_ADMIN_PASSWORD: 'a password for tests',
    });
    const logger = createLogger('test', 'silent');
    @Module({ imports: [AppModule.with(settings, logger)], controllers: [Things] })
    class Probe {}
    app = await NestFactory.create<NestExpressApplication>(Probe, { logger: false, bodyParser: false });
    configureHttp(app, settings);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    const tokenOf = async (username: string): Promise<string> => {
      const user = { username, email: `${username}@example.com`, name: '', role: 'agent' as const };
      const { id } = await app
        .get(UsersService, { strict: false })
        .create({ ...user, mustChangePassword: false }, 'a password for tests');
      const { sessionId } = await app.get(RefreshTokens, { strict: false }).open(id);
      return app.get(AccessTokens, { strict: false }).issue(id, sessionId);
    };
    alice = await tokenOf('alice');
    bob = await tokenOf('bob');
  }, 60_000);

  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  async function post(token: string, key: string | null, body: unknown) {
    const response = await fetch(`${url}/api/things`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key === null ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
    const { headers, status } = response;
    return { status, headers, body: (await response.json()) as Record<string, unknown> };
  }

  const sql = (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    app.get(TransactionRunner, { strict: false }).run((tx) => tx.query(text, values));

  it('happen once, and the repetition gets the same answer with its headers', async () => {
    const key = randomUUID();
    const before = made;
    const first = await post(alice, key, { name: 'a' });
    const second = await post(alice, key, { name: 'a' });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(made).toBe(before + 1);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    for (const name of ['location', 'etag']) expect(second.headers.get(name)).toBe(first.headers.get(name));
    expect(first.headers.get('etag')).toBe(`"${String(first.body['number'])}"`);
  });

  it('happen each time without a key, and for each user, whatever the key', async () => {
    const key = randomUUID();
    const before = made;
    await post(alice, null, { name: 'a' });
    await post(alice, null, { name: 'a' });
    const hers = await post(alice, key, { name: 'a' });
    const his = await post(bob, key, { name: 'a' });
    expect(his.body['number']).not.toBe(hers.body['number']);
    expect(made).toBe(before + 4);
  });

  it('refuse a key that came with another body', async () => {
    const key = randomUUID();
    await post(alice, key, { name: 'a' });
    const other = await post(alice, key, { name: 'b' });
    expect(other).toMatchObject({ status: 422, body: { code: 'request.idempotency.unprocessable' } });
  });

  it('refuse a repetition while the first is under way, and one of many at once does the work', async () => {
    const key = randomUUID();
    const before = made;
    const inside = new Promise<void>((resolve) => (arrived = resolve));
    const first = post(alice, key, { name: 'slow', wait: true });
    await inside;
    const during = await Promise.all([1, 2, 3].map(() => post(alice, key, { name: 'slow', wait: true })));
    for (const answer of during) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'request.idempotency.conflict' } });
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    open();
    expect((await first).status).toBe(201);
    expect((await post(alice, key, { name: 'slow', wait: true })).status).toBe(201);
    expect(made).toBe(before + 1);
  });

  it('may be tried again with the same key when they failed', async () => {
    const key = randomUUID();
    const before = made;
    expect((await post(alice, key, { name: 7 })).status).toBe(400);
    expect((await post(alice, key, { name: 'a', fail: true })).status).toBe(409);
    expect((await post(alice, key, { name: 'a' })).status).toBe(201);
    expect(made).toBe(before + 2);
  });

  it('are forgotten after a day, and taken over when their process died', async () => {
    const key = randomUUID();
    const first = await post(alice, key, { name: 'a' });
    await sql(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`);
    const second = await post(alice, key, { name: 'b' });
    expect(second.status).toBe(201);
    expect(second.body['number']).not.toBe(first.body['number']);
    expect(await sql('SELECT 1 FROM idempotency_keys')).toHaveLength(1);
    await sql(`UPDATE idempotency_keys SET status = NULL, answer = NULL, created_at = now() - interval '30 seconds'`);
    expect((await post(alice, key, { name: 'b' })).status).toBe(409);
    await sql(`UPDATE idempotency_keys SET created_at = now() - interval '61 seconds'`);
    expect((await post(alice, key, { name: 'b' })).status).toBe(201);
  });

  it('keep neither the key nor the answer in the clear', async () => {
    const key = randomUUID();
    await post(alice, key, { name: 'a' });
    const rows = await sql('SELECT key_hash, encode(answer, $1) AS answer FROM idempotency_keys', ['escape']);
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(JSON.stringify(rows)).not.toContain('shown once');
  });

  it.each([' ', 'with space', 'x'.repeat(256)])('refuse the key %p', async (key) => {
    const answer = await post(alice, key, { name: 'a' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.idempotency.invalid' } });
  });
});
