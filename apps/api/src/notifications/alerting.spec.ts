import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import type { DetectionOpened } from '#libs/contracts/facts.js';
import type { NotificationView } from '#libs/contracts/sockets.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { until } from '#libs/testing/until.js';
import { TransactionRunner } from '../database/transaction.js';
import { DetectionOpenedHandler } from '../detections/detection-fact.handlers.js';
import { TestApi } from '../test-api.fixture.js';

describe('alerts', () => {
  let api: TestApi;
  let hook: WebhookServer;
  let agentId: string;
  let otherId: string;
  let streamId: string;
  let token: string;
  let chief: string;
  let chiefId: string;

  beforeAll(async () => {
    hook = await WebhookServer.start();
    api = await TestApi.start(
      {
        WEBHOOK_ALLOW: hook.place,
        NOTIFY_ADMINS_FROM: 'critical',
        NOTIFY_GROUP_WAIT_MS: '100',
        NOTIFY_IN_APP_MS: '60000',
        ESCALATE_CRITICAL_MS: '300',
        ESCALATE_HIGH_MS: '0',
        ESCALATION_CHECK_MS: '100',
      },
      13,
    );
    [chiefId, agentId, otherId] = [
      await api.user('chief', 'admin'),
      await api.user('watcher', 'agent'),
      await api.user('colleague', 'agent'),
    ];
    [chief, token] = [await api.token(chiefId), await api.token(agentId)];
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', chief, body)).body['id']);
    await api.call('POST', '/api/assignments', chief, { streamId, agentId });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await hook.stop();
  });

  /** Stores hits as the ingest does, in batches. */
  async function hits(
    count: number,
    changes: { ruleId: string; severity?: DetectionOpened['severity'] },
  ): Promise<void> {
    const handler = api.app.get(DetectionOpenedHandler, { strict: false });
    const transactions = api.app.get(TransactionRunner, { strict: false });
    const now = Date.now();
    for (let done = 0; done < count; done += 500) {
      const facts = Array.from({ length: Math.min(500, count - done) }, () => ({
        ...{ type: 'detection.opened' as const, eventId: randomUUID(), streamId, session: 1, kind: 'video' as const },
        ...{ ruleVersion: 1, label: 'person', severity: 'medium' as const, confidence: 0.8, detector: 'yolo' },
        objects: [{ label: 'person', score: 0.8, box: [1, 2, 3, 4] as [number, number, number, number] }],
        ...{ frame: { width: 640, height: 360 }, evidenceKey: null, clipKey: null, model: 'test', detail: '' },
        ...{ startedAt: now, detectedAt: now, ptsMs: 0 },
        ...changes,
      }));
      for (const effect of await transactions.run((tx) => handler.apply(tx, facts))) await effect();
    }
  }
  const newest = async (bearer: string, limit = 1): Promise<NotificationView[]> =>
    (await api.call('GET', `/api/notifications?limit=${String(limit)}`, bearer)).body['items'] as NotificationView[];

  /** Who is told, by alert, that nobody acknowledged it. */
  function listen(): { told: Map<string, string[]>; off: () => void } {
    const told = new Map<string, string[]>();
    const off = api.events.on('notification.created', ({ userId, notification: { kind, alertId } }) => {
      if (kind !== 'escalation' || alertId === null) return;
      told.set(alertId, [...(told.get(alertId) ?? []), userId]);
    });
    return { told, off };
  }

  it('make one message of 10,000 hits of a rule for each recipient and channel, and count them all', async () => {
    const secret = await api.call('POST', '/api/webhooks', chief, { url: hook.url });
    await api.call('POST', '/api/me/webhooks', token, { url: `http://${hook.place}/mine` });
    const ruleId = randomUUID();
    await hits(10_000, { ruleId });
    await until(() => hook.calls.length >= 2, 'both webhooks were called');
    const [row] = await newest(token);
    expect(row).toMatchObject({ count: 10_000, suppressed: 0, title: expect.stringContaining('person') as string });
    expect((await newest(token, 2)).map(({ alertId }) => alertId === row?.alertId)).not.toEqual([true, true]);
    const counted = await api.app
      .get(DataSource, { strict: false })
      .query<{ count: number }[]>('SELECT count(*)::int AS count FROM detections WHERE rule_id = $1', [ruleId]);
    expect(counted).toEqual([{ count: 10_000 }]);
    expect(hook.calls.map(({ path }) => path).sort()).toEqual(['/hook', '/mine']);
    const global = hook.calls.find(({ path }) => path === '/hook');
    expect(global !== undefined && WebhookServer.isSigned(global, String(secret.body['secret']))).toBe(true);
  }, 60_000);

  it('that nobody acknowledges go to the agents of the stream once more, then to the admins, and no further', async () => {
    const escalations = listen();
    await hits(1, { ruleId: randomUUID(), severity: 'critical' });
    const alertId = String((await newest(token))[0]?.alertId);
    const told = (of: string): string[] => escalations.told.get(of) ?? [];
    await until(() => told(alertId).length >= 3, 'the chain is at its end');
    // Another one goes all the way: whatever the first had still to come has come by then.
    await hits(1, { ruleId: randomUUID(), severity: 'critical' });
    const later = String((await newest(token))[0]?.alertId);
    await until(() => told(later).length >= 3, 'the chain of a later alert is at its end');
    escalations.off();
    expect(told(alertId)).toHaveLength(3);
    expect(told(alertId)[0]).toBe(agentId);
    expect(told(alertId)).toContain(chiefId);
    expect(told(alertId)).not.toContain(otherId);
    expect(told(alertId).filter((userId) => userId === agentId)).toHaveLength(1);
  }, 30_000);

  it('that somebody acknowledges go no further', async () => {
    const escalations = listen();
    await hits(1, { ruleId: randomUUID(), severity: 'critical' });
    const [row] = await newest(token);
    const taken = await api.call('POST', `/api/notifications/${String(row?.id)}/acknowledge`, token);
    expect(taken.body).toMatchObject({
      acknowledgedAt: expect.any(String) as string,
      readAt: expect.any(String) as string,
    });
    // One that came later and that nobody takes on is escalated: the first would have been, too.
    await hits(1, { ruleId: randomUUID(), severity: 'critical' });
    const later = String((await newest(token))[0]?.alertId);
    await until(() => escalations.told.has(later), 'a later alert is escalated');
    escalations.off();
    expect(escalations.told.has(String(row?.alertId))).toBe(false);
  }, 30_000);

  it('come to an admin below the floor who watches the stream, once for as long as it wants to', async () => {
    const severity = 'low' as const;
    const path = `/api/streams/${streamId}/watch`;
    const [before] = await newest(chief);
    await hits(1, { ruleId: randomUUID(), severity });
    expect((await api.call('PUT', path, chief)).body).toEqual({ watching: true });
    await hits(1, { ruleId: randomUUID(), severity });
    expect((await api.call('DELETE', path, chief)).status).toBe(204);
    expect((await api.call('GET', path, chief)).body).toEqual({ watching: false });
    await hits(1, { ruleId: randomUUID(), severity });
    const { body } = await api.call('GET', `/api/notifications?after=${String(before?.seq)}`, chief);
    const items = body['items'] as NotificationView[];
    expect(items.filter(({ kind }) => kind === 'detection')).toMatchObject([{ severity }]);
  }, 30_000);

  it('are forwarded to those who may see the stream, with a note', async () => {
    await hits(1, { ruleId: randomUUID() });
    const [row] = await newest(token);
    const path = `/api/notifications/${String(row?.id)}/forward`;
    const refused = await api.call('POST', path, token, { userIds: [otherId], note: 'Look!' });
    expect(refused.body['code']).toBe('notification.recipient.forbidden');
    await api.call('POST', '/api/assignments', chief, { streamId, agentId: otherId });
    const key = randomUUID();
    for (let time = 0; time < 2; time += 1) {
      const headers = { 'idempotency-key': key, authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ userIds: [otherId], note: 'Look!' });
      const answer = await fetch(api.url + path, { method: 'POST', headers, body });
      expect(await answer.json()).toEqual({ sent: 1 });
    }
    const forward = { kind: 'forward', note: 'Look!', senderId: agentId, detectionId: row?.detectionId };
    expect(await newest(await api.token(otherId), 2)).toMatchObject([forward]);
    const { body } = await api.call('GET', '/api/notifications/forwarded', token);
    expect(body['items']).toMatchObject([forward]);
  }, 30_000);

  it('stay out of what an agent deletes: its notifications go, nobody else loses any', async () => {
    expect((await api.call('DELETE', '/api/notifications?all=true', token)).body['code']).toBe(
      'notification.all.forbidden',
    );
    await api.call('POST', '/api/notifications', chief, { role: 'agent', title: 'Shift change', severity: 'low' });
    expect(await newest(token)).toMatchObject([{ kind: 'message', title: 'Shift change', senderId: chiefId }]);
    const { body } = await api.call('DELETE', '/api/notifications', token);
    expect(body['deleted']).toBeGreaterThan(0);
    expect(await newest(token)).toEqual([]);
    expect(await newest(await api.token(otherId))).toHaveLength(1);
    expect((await api.call('DELETE', '/api/notifications?all=true', chief)).status).toBe(200);
    expect(await newest(await api.token(otherId))).toEqual([]);
    const { body: trail } = await api.call('GET', '/api/logs?limit=50', chief);
    const actions = (trail['items'] as { action: string }[]).map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining(['notification.sent', 'notification.deleted_all', 'webhook.created']),
    );
  }, 30_000);

  it('are told as their recipient chose, in a time zone that there is', async () => {
    const hour = new Date().getUTCHours();
    const clock = (value: number): string => `${String((value + 24) % 24).padStart(2, '0')}:00`;
    const quietHours = { from: clock(hour - 1), to: clock(hour + 2), timeZone: 'UTC' };
    const body = { channels: { email: null, telegram: 'info', webhook: null }, quietHours };
    expect((await api.call('PUT', '/api/me/notification-preferences', token, body)).status).toBe(200);
    const bad = { ...body, quietHours: { ...quietHours, timeZone: 'Mars/Olympus' } };
    expect((await api.call('PUT', '/api/me/notification-preferences', token, bad)).status).toBe(400);
    const { body: stored } = await api.call('GET', '/api/me/notification-preferences', token);
    expect(stored).toMatchObject({ quietHours: { ...quietHours, disturbFrom: 'critical' }, digest: null });
  }, 30_000);
});
