import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { TelegramServer } from '#libs/testing/telegram-server.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { TestApi } from '../../test-api.fixture.js';
import { Sealer } from '../sealer.js';
import { WEBHOOK_SECRET } from './address-book.repository.js';

/** Asks until it is so; a bound for what never comes, not a measure. */
async function until(claim: () => boolean | Promise<boolean>, what: string, patienceMs = 15_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

interface Row {
  id: string;
  state: string;
  channel: string;
  attempts: number;
  log: { outcome: string; detail: string }[];
}

describe('deliveries', () => {
  let smtp: SmtpServer;
  let hook: WebhookServer;
  let telegram: TelegramServer;
  let api: TestApi;
  let agentId: string;
  let streamId: string;
  const secret = `whsec_${randomBytes(24).toString('base64')}`;

  beforeAll(async () => {
    [smtp, hook, telegram] = await Promise.all([SmtpServer.start(), WebhookServer.start(), TelegramServer.start()]);
    api = await TestApi.start(
      {
        SMTP_URL: smtp.url,
        WEBHOOK_ALLOW: hook.place,
        TELEGRAM_API_URL: telegram.url,
        TELEGRAM_BOT_TOKEN: telegram.token,
        NOTIFY_ADMINS_FROM: 'critical',
        NOTIFY_GROUP_WAIT_MS: '0',
        DELIVERY_RETRY_SCALE: '0.001',
        DELIVERY_SEND_TIMEOUT_MS: '1000',
        DELIVERY_AUDIT_MS: '300',
      },
      13,
    );
    agentId = await api.user('watcher', 'agent');
    const admin = await api.token(await api.user('chief', 'admin'));
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', admin, body)).body['id']);
    await api.call('POST', '/api/assignments', admin, { streamId, agentId });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await Promise.all([smtp.stop(), hook.stop(), telegram.stop()]);
  });

  const sql = <T>(text: string, values: unknown[] = []): Promise<T> =>
    api.app.get(DataSource, { strict: false }).query<T>(text, values);

  async function choose(channels: Partial<Record<'email' | 'telegram' | 'webhook', string | null>>): Promise<void> {
    const value = { channels: { email: null, telegram: null, webhook: null, ...channels } };
    await sql(
      `INSERT INTO notification_preferences (user_id, value) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET value = excluded.value`,
      [agentId, JSON.stringify(value)],
    );
  }

  /** The deliveries that a detection brought. */
  const rowsOf = (detectionId: string): Promise<Row[]> =>
    sql(
      `SELECT d.* FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.detection_id = $1 ORDER BY d.channel`,
      [detectionId],
    );
  async function settled(detectionId: string, count = 1): Promise<Row[]> {
    let rows: Row[] = [];
    await until(async () => {
      rows = await rowsOf(detectionId);
      return rows.length === count && rows.every(({ state }) => state !== 'pending' && state !== 'sending');
    }, 'the deliveries are settled');
    return rows;
  }

  it('bring a detection to a mail server and to a signed webhook', async () => {
    const sealed = api.app.get(Sealer, { strict: false }).seal(secret, WEBHOOK_SECRET);
    await sql(`INSERT INTO webhook_endpoints (user_id, url, secret) VALUES ($1, $2, $3)`, [agentId, hook.url, sealed]);
    await choose({ email: 'info', webhook: 'info' });
    const { id } = await api.detect(streamId);
    const rows = await settled(id, 2);
    expect(rows.map(({ channel, state, attempts }) => [channel, state, attempts])).toEqual([
      ['email', 'sent', 1],
      ['webhook', 'sent', 1],
    ]);
    const mail = smtp.mails.at(-1);
    expect(mail?.to).toEqual(['watcher@example.com']);
    expect(mail?.header('Message-ID')).toBe(`<${String(rows[0]?.id)}@deliveries.vigil>`);
    expect(mail?.header('Subject')).toMatch(/^\[medium\] person on /);
    expect(mail?.raw).toContain(Buffer.from('jpeg bytes').toString('base64'));
    expect(mail?.raw).toMatch(/text\/plain[\s\S]*text\/html/);
    const call = hook.calls.at(-1);
    expect(call?.headers['webhook-id']).toBe(rows[1]?.id);
    expect(call !== undefined && WebhookServer.isSigned(call, secret)).toBe(true);
    expect(call !== undefined && WebhookServer.isSigned({ ...call, body: `${call.body} ` }, secret)).toBe(false);
    expect(JSON.parse(call?.body ?? '')).toMatchObject({
      type: 'alert',
      data: { items: [{ detectionId: id, count: 1 }] },
    });
  }, 30_000);
});
