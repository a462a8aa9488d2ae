import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { connectRedis } from '#libs/bus/redis.js';
import { createLogger } from '#libs/observability/logger.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { TelegramServer } from '#libs/testing/telegram-server.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { until } from '#libs/testing/until.js';
import { TestApi } from '../../test-api.fixture.js';
import { Sealer } from '../sealer.js';
import { WEBHOOK_SECRET } from './address-book.repository.js';

interface Row {
  id: string;
  state: string;
  kind: string;
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
  let token: string;
  let chief: string;
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
        DELIVERY_RETRY_SCALE: '0.0001',
        DELIVERY_SEND_TIMEOUT_MS: '1000',
        DELIVERY_AUDIT_MS: '300',
      },
      13,
    );
    agentId = await api.user('watcher', 'agent');
    token = await api.token(agentId);
    chief = await api.token(await api.user('chief', 'admin'));
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', chief, body)).body['id']);
    await api.call('POST', '/api/assignments', chief, { streamId, agentId });
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
    expect(mail?.raw).toContain(Buffer.from('some bytes').toString('base64'));
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

  it('are tried again after 4xx, cut connections and time-outs, each attempt on record', async () => {
    await choose({ email: 'info' });
    smtp.script.push({ reply: '451 later' }, { drop: 'before' }, { reply: '250 too late', delayMs: 1_500 });
    const before = smtp.mails.length;
    const { id } = await api.detect(streamId);
    const [row] = await settled(id);
    expect(row?.state).toBe('sent');
    expect(row?.log.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'sent']);
    expect(row?.log[0]?.detail).toContain('451');
    // The server that answered too late may have taken it: the Message-ID tells the double.
    await until(() => smtp.mails.length >= before + 2, 'the late mail is there, too');
    expect(new Set(smtp.mails.slice(before).map((mail) => mail.header('Message-ID'))).size).toBe(1);
  }, 30_000);

  it('are given up at once when the receiver says never, listed, and driven anew', async () => {
    await choose({ email: 'info' });
    smtp.refusals.set('watcher@example.com', '550 no such mailbox');
    const { id } = await api.detect(streamId);
    const [dead] = await settled(id);
    expect(dead).toMatchObject({ state: 'dead', attempts: 1 });
    const listed = await api.call('GET', '/api/deliveries/dead', chief);
    expect(listed.body['items']).toMatchObject([{ id: dead?.id, attempts: [{ outcome: 'failed' }] }]);
    smtp.refusals.clear();
    const redriven = await api.call('POST', '/api/deliveries/redrive', chief, { ids: [dead?.id] });
    expect(redriven.body).toEqual({ redriven: 1 });
    await until(async () => (await rowsOf(id))[0]?.state === 'sent', 'the dead letter arrives');
    expect((await api.call('POST', `/api/deliveries/${String(dead?.id)}/retry`, chief)).body['code']).toBe(
      'delivery.conflict',
    );
  }, 30_000);

  it('become dead letters after eight attempts, and a retry sends them', async () => {
    await choose({ webhook: 'info' });
    hook.script.push(...Array.from({ length: 8 }, () => ({ status: 500 })));
    const { id } = await api.detect(streamId);
    const [dead] = await settled(id);
    expect(dead).toMatchObject({ state: 'dead', attempts: 8 });
    expect((await api.call('POST', `/api/deliveries/${String(dead?.id)}/retry`, token)).status).toBe(202);
    await until(async () => (await rowsOf(id))[0]?.state === 'sent', 'the dead letter arrives');
  }, 60_000);

  it('wait as long as Telegram asks for, others to it as well', async () => {
    await sql('INSERT INTO telegram_links (user_id, chat_id) VALUES ($1, $2)', [agentId, '4242']);
    await choose({ telegram: 'info' });
    telegram.script.push({ code: 429, description: 'Too Many Requests', retryAfter: 1 });
    const first = await api.detect(streamId);
    await until(async () => (await rowsOf(first.id))[0]?.attempts === 1, 'the refusal is on record');
    const second = await api.detect(streamId);
    await Promise.all([settled(first.id), settled(second.id)]);
    const [refused, ...rest] = telegram.calls;
    expect(rest).toHaveLength(2);
    for (const call of rest) expect(call.at - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(rest[0]?.method).toBe('sendPhoto');
    expect(rest[0]?.body).toContain('4242');
  }, 30_000);

  it('obey the Retry-After of a webhook', async () => {
    await choose({ webhook: 'info' });
    const calls = hook.calls.length;
    hook.script.push({ status: 429, headers: { 'retry-after': '1' } });
    await settled((await api.detect(streamId)).id);
    const [refused, taken] = hook.calls.slice(calls);
    expect((taken?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(taken?.headers['webhook-id']).toBe(refused?.headers['webhook-id']);
  }, 30_000);

  it('are suppressed by a silence that comes while they wait', async () => {
    await choose({ webhook: 'info' });
    const calls = hook.calls.length;
    hook.script.push({ status: 429, headers: { 'retry-after': '1' } });
    const { id } = await api.detect(streamId);
    await until(() => hook.calls.length === calls + 1, 'the webhook was asked');
    const body = { streamId, endsAt: new Date(Date.now() + 60_000).toISOString(), reason: 'A rehearsal.' };
    const made = await api.call('POST', '/api/silences', chief, body);
    const [row] = await settled(id);
    expect(row?.state).toBe('suppressed');
    // And what comes under it is counted, but nobody hears of it.
    const told: string[] = [];
    const off = api.events.on('notification.created', ({ userId }) => told.push(userId));
    const hidden = await api.detect(streamId);
    off();
    expect(told).toEqual([]);
    expect(await rowsOf(hidden.id)).toEqual([]);
    const { body: list } = await api.call('GET', '/api/notifications?limit=1', token);
    expect(list['items']).toMatchObject([{ detectionId: hidden.id, silenced: true, count: 1, suppressed: 1 }]);
    await api.call('DELETE', `/api/silences/${String(made.body['id'])}`, chief);
    await settled((await api.detect(streamId)).id);
    expect(hook.calls.length).toBe(calls + 2);
  }, 30_000);

  it('that no job stands for are found, all 20 of them', async () => {
    await choose({ webhook: 'info' });
    const { id } = await api.detect(streamId);
    await settled(id);
    const calls = hook.calls.length;
    const orphans = await sql<{ id: string }[]>(
      `INSERT INTO deliveries (id, kind, channel, user_id, endpoint_id, alert_id, notification_id, due_at)
       SELECT gen_random_uuid(), d.kind, d.channel, d.user_id, d.endpoint_id, d.alert_id, d.notification_id, now()
       FROM deliveries d JOIN alerts a ON a.id = d.alert_id, generate_series(1, 20) WHERE a.detection_id = $1
       RETURNING id`,
      [id],
    );
    expect(orphans).toHaveLength(20);
    await settled(id, 21);
    const arrived = hook.calls.slice(calls).map(({ headers }) => headers['webhook-id']);
    expect(arrived.sort()).toEqual(orphans.map((orphan) => orphan.id).sort());
  }, 30_000);

  it('survive a Redis that was wiped', async () => {
    await choose({ webhook: 'info' });
    hook.script.push({ status: 429, headers: { 'retry-after': '1' } });
    const { id } = await api.detect(streamId);
    await until(async () => (await rowsOf(id))[0]?.attempts === 1, 'the first attempt is on record');
    const redis = connectRedis(testRedisUrl(13), 'wipe', createLogger('test', 'silent'));
    await redis.flushdb();
    redis.disconnect();
    expect((await settled(id))[0]?.state).toBe('sent');
  }, 30_000);

  it('to an endpoint that is gone end at once: it is disabled, and its owner is told', async () => {
    await choose({ webhook: 'info' });
    const made = await api.call('POST', '/api/me/webhooks', token, { url: `http://${hook.place}/gone` });
    expect(made.body['secret']).toMatch(/^whsec_/);
    const shown = await api.call('GET', `/api/me/webhooks/${String(made.body['id'])}`, token);
    expect(JSON.stringify(shown.body)).not.toContain('whsec_');
    const [trail] = await sql<{ after: object }[]>(
      `SELECT after FROM audit_entries WHERE action = 'webhook.created' ORDER BY seq DESC LIMIT 1`,
    );
    expect(JSON.stringify(trail)).not.toContain('whsec_');
    const stored = await sql<object[]>('SELECT * FROM webhook_endpoints');
    expect(JSON.stringify(stored)).not.toContain(String(made.body['secret']));
    hook.script.push({ status: 410 }, { status: 410 });
    const notices: string[] = [];
    const off = api.events.on('notification.created', ({ userId, notification }) => {
      if (notification.kind === 'notice') notices.push(userId);
    });
    await settled((await api.detect(streamId)).id, 2);
    off();
    expect(notices).toEqual([agentId, agentId]);
    const after = await api.call('GET', `/api/me/webhooks/${String(made.body['id'])}`, token);
    expect(after.body['disabledAt']).not.toBeNull();
    const enabled = await api.call('PATCH', `/api/me/webhooks/${String(made.body['id'])}`, token, { enabled: true });
    expect(enabled.body['disabledAt']).toBeNull();
  }, 30_000);

  it.each<[string, boolean]>([
    ['its owner', false],
    ['every admin, when it is everybody’s', true],
  ])(
    'to an endpoint that has failed for very long end, too: it is disabled, and %s is told once',
    async (_whom, global) => {
      await choose({ webhook: 'info' });
      await sql('DELETE FROM webhook_endpoints');
      const [bearer, path] = global ? [chief, '/api/webhooks'] : [token, '/api/me/webhooks'];
      const made = await api.call('POST', path, bearer, { url: `http://${hook.place}/tired` });
      const failed = async (since: string): Promise<string | undefined> => {
        await sql('UPDATE webhook_endpoints SET failing_since = now() - $1::interval', [since]);
        hook.script.push({ status: 500 });
        return (await settled((await api.detect(streamId)).id))[0]?.state;
      };
      const told: string[] = [];
      const off = api.events.on('notification.created', ({ userId, notification }) => {
        if (notification.kind === 'notice' && notification.title.includes(hook.place)) told.push(userId);
      });
      // For some time an endpoint may be broken; then its owner should know.
      expect(await failed('1 hour')).toBe('sent');
      expect(told).toEqual([]);
      expect(await failed('365 days')).toBe('dead');
      off();
      const admins = await sql<{ id: string }[]>(`SELECT id FROM users WHERE role = 'admin'`);
      expect(told.sort()).toEqual(global ? admins.map(({ id }) => id).sort() : [agentId]);
      const after = await api.call('GET', `${path}/${String(made.body['id'])}`, bearer);
      expect(after.body).toMatchObject({ disabledReason: expect.stringContaining('has failed since') as string });
      expect(after.body['disabledAt']).not.toBeNull();
    },
    30_000,
  );

  it('wait for the end of quiet hours, and go out as one digest', async () => {
    const hour = new Date().getUTCHours();
    const clock = (value: number): string => `${String((value + 24) % 24).padStart(2, '0')}:00`;
    const quietHours = { from: clock(hour - 2), to: clock(hour + 3), timeZone: 'UTC' };
    const body = { channels: { email: 'info', telegram: null, webhook: null }, quietHours };
    expect((await api.call('PUT', '/api/me/notification-preferences', token, body)).status).toBe(200);
    const mails = smtp.mails.length;
    const [first, second] = [await api.detect(streamId), await api.detect(streamId)];
    const [digest] = await rowsOf(first.id);
    expect(digest).toMatchObject({ kind: 'digest', state: 'pending' });
    expect(await rowsOf(second.id)).toEqual([]);
    const { body: list } = await api.call('GET', '/api/notifications?limit=2', token);
    for (const { id } of list['items'] as { id: string }[]) {
      const { body: own } = await api.call('GET', `/api/notifications/${id}/deliveries`, token);
      expect(own['items']).toMatchObject([{ id: digest?.id, kind: 'digest' }]);
    }
    // The morning comes early.
    expect((await api.call('POST', `/api/deliveries/${String(digest?.id)}/retry`, token)).status).toBe(202);
    await until(() => smtp.mails.length > mails, 'the digest arrives');
    expect(smtp.mails.length).toBe(mails + 1);
    expect(smtp.mails.at(-1)?.header('Subject')).toBe('[medium] 2 notifications');
  }, 30_000);
});
