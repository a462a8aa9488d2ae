import { createLogger } from '#libs/observability/logger.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { TransactionRunner } from '../../database/transaction.js';
import { TEST_PASSWORD, TestApi } from '../../test-api.fixture.js';
import { RecoveryService } from './recovery.service.js';

const NEW_PASSWORD = 'another password for tests';

describe('a forgotten password', () => {
  let api: TestApi;
  let smtp: SmtpServer;

  beforeAll(async () => {
    smtp = await SmtpServer.start();
    api = await TestApi.start({ SMTP_URL: smtp.url, MAIL_FROM: 'Vigil <vigil@example.com>' }, 10);
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await smtp.stop();
  });

  const post = (path: string, body: unknown): ReturnType<TestApi['call']> =>
    api.call('POST', `/api/auth/${path}`, null, body);
  const sql = (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    api.app.get(TransactionRunner, { strict: false }).run((tx) => tx.query(text, values));

  /** Asks for a code and takes it out of the mail. */
  async function codeFor(email: string): Promise<string> {
    const before = smtp.mails.length;
    expect((await post('forgot-password', { email })).status).toBe(202);
    const mail = (await smtp.atLeast(before + 1)).at(-1);
    expect(mail?.to.map((to) => to.toLowerCase())).toEqual([email.toLowerCase()]);
    const code = /^[\w-]{32}$/m.exec(mail?.text ?? '')?.[0];
    expect(code).toBeDefined();
    return String(code);
  }

  it('is replaced by a code out of a mail, once, and every sign-in ends', async () => {
    const id = await api.user('alice', 'agent');
    const token = await api.token(id);
    const code = await codeFor('Alice@example.com');
    expect((await post('verify-reset-token', { token: code })).body).toEqual({ valid: true });
    expect((await post('reset-password', { token: code, newPassword: NEW_PASSWORD })).status).toBe(204);
    expect((await api.call('GET', '/api/me', token)).status).toBe(401);
    expect((await api.login('alice', TEST_PASSWORD)).status).toBe(401);
    expect((await api.login('alice', NEW_PASSWORD)).status).toBe(200);
    expect((await post('verify-reset-token', { token: code })).body).toEqual({ valid: false });
    const again = await post('reset-password', { token: code, newPassword: TEST_PASSWORD });
    expect(again).toMatchObject({ status: 400, body: { code: 'auth.reset.invalid' } });
  });

  it('takes a code once when it comes twice at the same moment', async () => {
    await api.user('twice', 'agent');
    const code = await codeFor('twice@example.com');
    const answers = await Promise.all(
      [1, 2, 3].map((n) => post('reset-password', { token: code, newPassword: `${NEW_PASSWORD} ${String(n)}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 400, 400]);
  });

  it('takes no code after half an hour, none of a changed password, and none of a disabled user', async () => {
    await api.user('late', 'agent');
    const old = await codeFor('late@example.com');
    const [row] = await sql(
      `SELECT extract(epoch FROM expires_at - created_at) AS life FROM password_resets ORDER BY created_at DESC LIMIT 1`,
    );
    expect(Math.round(Number(row?.['life']))).toBe(30 * 60);
    await sql(`UPDATE password_resets SET expires_at = now() - interval '1 second'`);
    expect((await post('reset-password', { token: old, newPassword: NEW_PASSWORD })).status).toBe(400);

    const changing = await api.user('changing', 'agent');
    const early = await codeFor('changing@example.com');
    const change = { currentPassword: TEST_PASSWORD, newPassword: NEW_PASSWORD };
    const changed = await api.call('POST', '/api/auth/change-password', await api.token(changing), change);
    expect(changed.status).toBe(204);
    expect((await post('reset-password', { token: early, newPassword: TEST_PASSWORD })).status).toBe(400);

    const leaving = await api.user('leaving', 'agent');
    const code = await codeFor('leaving@example.com');
    await api.disable(leaving);
    expect((await post('reset-password', { token: code, newPassword: NEW_PASSWORD })).status).toBe(400);
  });

  it('keeps codes as hashes alone', async () => {
    await api.user('hashed', 'agent');
    const code = await codeFor('hashed@example.com');
    expect(JSON.stringify(await sql('SELECT * FROM password_resets'))).not.toContain(code);
  });

  it('answers unknown addresses and disabled users as it does known ones, and sends them nothing', async () => {
    await api.user('known', 'agent');
    await api.disable(await api.user('gone', 'agent'));
    const before = smtp.mails.length;
    const answers = await Promise.all(
      ['nobody@example.com', 'gone@example.com', 'known@example.com'].map((email) =>
        post('forgot-password', { email }),
      ),
    );
    for (const { status, body, headers } of answers) {
      expect({ status, body, length: headers.get('content-length') }).toEqual({ status: 202, body: {}, length: '0' });
    }
    await api.app.get(RecoveryService, { strict: false }).settled();
    await smtp.atLeast(before + 1);
    expect(smtp.mails.slice(before).flatMap(({ to }) => to)).toEqual(['known@example.com']);
  });

  it('lets an account be asked for a few times only, known or not', async () => {
    await api.user('pestered', 'agent');
    for (const email of ['pestered@example.com', 'not-there@example.com']) {
      const statuses: number[] = [];
      for (let n = 0; n < 6; n += 1) statuses.push((await post('forgot-password', { email })).status);
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    }
  });
});

describe('the answer to a forgotten password', () => {
  it('comes before anybody looks whether the address is known', async () => {
    let found: (user: null) => void = () => undefined;
    const looking = new Promise<null>((resolve) => (found = resolve));
    const asked: string[] = [];
    const recovery = new RecoveryService(
      {
        findByLogin: (email) => {
          asked.push(email);
          return looking;
        },
        find: () => Promise.resolve(null),
        setPassword: () => Promise.resolve(),
      },
      { create: () => Promise.resolve(), find: () => Promise.resolve(null), use: () => Promise.resolve(false) },
      { endSessions: () => Promise.resolve() },
      { spend: () => Promise.resolve(), forget: () => Promise.resolve() },
      { post: () => undefined },
      createLogger('test', 'silent'),
      { record: () => Promise.resolve() },
    );
    // The database does not answer at all, and the request is answered all the same.
    await recovery.request('somebody@example.com', '10.0.0.1');
    await recovery.request('nobody@example.com', '10.0.0.1');
    expect(asked.length).toBeLessThanOrEqual(1);
    found(null);
    await recovery.settled();
    expect(asked).toEqual(['somebody@example.com', 'nobody@example.com']);
  });
});
