import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { CANARY_RUN_MS, type CanaryObserved } from '#libs/contracts/canary.js';
import { CoveragePart } from '#libs/contracts/coverage.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import type { NotificationView } from '#libs/contracts/sockets.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { RetentionService } from '../retention/retention.service.js';
import { TestApi } from '../test-api.fixture.js';
import { CanaryProcess } from './canary-process.js';
import { CanaryWatch } from './canary-watch.js';
import type { CanaryReport } from './canary.dto.js';
import { ChannelProbes } from './channel-probes.js';

const EVERY_MS = 60_000;
const GRACE_MS = 10_000;
const LATE_MS = EVERY_MS + CANARY_RUN_MS + GRACE_MS + 1_000;

/** The real api on a real Postgres and Redis; monitors are their heartbeats and facts, the mail server is on loopback. */
describe('canaries, as the api sees them', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;
  let smtp: SmtpServer;
  let db: DataSource;
  let watch: CanaryWatch;

  beforeAll(async () => {
    smtp = await SmtpServer.start();
    api = await TestApi.start(
      { CANARY_GRACE_MS: String(GRACE_MS), NOTIFY_IN_APP_MS: '0', SMTP_URL: smtp.url, CANARY_PROBE_MS: '1000' },
      12,
    );
    // It is looked when the test says so.
    await api.app.get(CanaryProcess, { strict: false }).onModuleDestroy();
    db = api.app.get(DataSource);
    watch = api.app.get(CanaryWatch, { strict: false });
    admin = await api.token(await api.user('chief', 'admin'));
    agent = await api.token(await api.user('ann', 'agent'));
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await smtp.stop();
  });

  async function announce(monitorId: string): Promise<void> {
    const heartbeat: MonitorHeartbeat = {
      ...{ v: 1, monitorId, host: 'h', pid: 1, version: '1', startedAt: 0, at: Date.now(), capacity: 1 },
      ...{ canaryMs: EVERY_MS, platforms: [], chatSources: [], detectors: [], sessions: [], proxies: [] },
      spool: { pending: 0, bytes: 0, shedFrames: 0, shedRecords: 0 },
      egress: { refused: 0, requests: 0, bytes: 0 },
    };
    await api.app.get(MonitorDirectory, { strict: false }).announce(heartbeat, 60_000);
  }

  /** A whole run, told part by part. */
  function runOf(
    monitorId: string,
    changes: Partial<Record<CoveragePart, Partial<CanaryObserved>>> = {},
  ): CanaryObserved[] {
    const [runId, startedAt] = [randomUUID(), Date.now() - 10_000];
    return CoveragePart.options.map((part) => ({
      ...{ type: 'canary.observed', runId, monitorId, part, outcome: 'found', reason: '', startedAt },
      ...{ airedAt: startedAt + 4_000, foundAt: startedAt + 6_000 },
      ...changes[part],
    }));
  }

  const missed = { outcome: 'missed', reason: 'It did not come out.', airedAt: null, foundAt: null } as const;

  async function report(): Promise<CanaryReport> {
    return (await api.call('GET', '/api/canary', admin)).body as unknown as CanaryReport;
  }

  /** What a user has been told of one monitor or channel, oldest first. */
  async function told(of: string, token = admin): Promise<string[]> {
    const { body } = await api.call('GET', '/api/notifications?limit=100', token);
    const items = body['items'] as NotificationView[];
    return items
      .filter(({ title }) => title.endsWith(of))
      .map(({ title, body: text }) => `${title} ${text}`)
      .reverse();
  }

  it('are kept once each, with their latencies, and are in no list of what was found', async () => {
    const run = runOf('kept', { speech: { ...missed, outcome: 'unproven', reason: 'Model missing' } });
    await api.store(...run, ...run);
    await api.store(...run);
    await announce('kept');
    const kept = (await report()).runs.filter(({ monitorId }) => monitorId === 'kept');
    expect(kept).toHaveLength(1);
    expect(kept[0]?.parts.map(({ part, outcome }) => [part, outcome])).toEqual([
      ['video', 'found'],
      ['audio', 'found'],
      ['speech', 'unproven'],
      ['chat', 'found'],
    ]);
    const [video, , speech] = kept[0]?.parts ?? [];
    // On air 6 s before the facts were stored.
    expect(video?.commitMs).toBeGreaterThanOrEqual(6_000);
    expect(video?.toldMs).toBeGreaterThanOrEqual(video?.commitMs ?? Infinity);
    expect(speech).toMatchObject({ commitMs: null, toldMs: null });
    const monitors = (await api.call('GET', '/api/monitors', admin)).body['items'] as { canary: unknown }[];
    expect(monitors[0]?.canary).toEqual(kept[0]);
    for (const list of ['detections', 'notifications', 'streams']) {
      expect((await api.call('GET', `/api/${list}`, admin)).body['items']).toEqual([]);
    }
    // Where charts and dashboards read from.
    for (const table of ['detections', 'detection_hours', 'transcripts', 'coverage_spans', 'alerts']) {
      expect([table, await db.query(`SELECT count(*)::int FROM ${table}`)]).toEqual([table, [{ count: 0 }]]);
    }
  });

  it('that miss a part are told to admins once, and once more when it is found again', async () => {
    await announce('deaf');
    await api.store(...runOf('deaf', { audio: missed, speech: { ...missed, outcome: 'unproven' } }));
    await watch.look(Date.now(), 0);
    await watch.look(Date.now(), 0);
    const fails = 'Canary fails: monitor deaf What was planted in the sound was not found at';
    expect(await told('monitor deaf')).toEqual([expect.stringContaining(fails)]);
    expect((await report()).troubles).toMatchObject([{ kind: 'monitor', subject: 'deaf', part: 'audio' }]);
    await api.store(...runOf('deaf'));
    await watch.look(Date.now(), 0);
    expect((await told('monitor deaf'))[1]).toBe(
      'Canary sings again: monitor deaf The sound works again, after 1 min.',
    );
    expect((await report()).troubles).toEqual([]);
    expect(await told('monitor deaf', agent)).toEqual([]);
  });

  it('that do not come out are missed, of a monitor that was killed too, and it is over with the next run', async () => {
    await announce('killed');
    await watch.look(Date.now(), 0);
    await api.app.get(MonitorDirectory, { strict: false }).withdraw('killed');
    const late = Date.now() + LATE_MS;
    await withdrawAllBut('killed');
    await watch.look(late, 0);
    await watch.look(late + 1, 0);
    expect(await told('monitor killed')).toEqual([expect.stringContaining('nothing is heard of it any more')]);
    await announce('killed');
    await api.store(...runOf('killed'));
    await db.query(`UPDATE canary_runs SET stored_at = $1 WHERE monitor_id = 'killed'`, [new Date(late + 2)]);
    await watch.look(late + 3, 0);
    expect((await told('monitor killed'))[1]).toMatch(/^Canary sings again: monitor killed Its canary works again/);
  });

  it('of a monitor that stopped in order are expected no longer', async () => {
    await announce('left');
    await watch.look(Date.now(), 0);
    await api.app.get(MonitorDirectory, { strict: false }).withdraw('left');
    await api.store({ type: 'canary.left', monitorId: 'left', at: Date.now() });
    await withdrawAllBut('left');
    await watch.look(Date.now() + LATE_MS, 0);
    expect(await told('monitor left')).toEqual([]);
  });

  it('have a companion in the probes of channels: a mail server that is gone is told of, and that it is back', async () => {
    const probes = api.app.get(ChannelProbes, { strict: false });
    expect(probes.probed).toEqual(['email']);
    await db.query('DELETE FROM canary_probes');
    const signal = new AbortController().signal;
    await probes.run(signal);
    expect((await report()).channels).toMatchObject([{ channel: 'email', outcome: 'answered', reason: '' }]);
    expect(smtp.attempts).toBe(0);
    await db.query(`UPDATE canary_probes SET at = at - interval '1 hour'`);
    await smtp.stop();
    await probes.run(signal);
    expect((await report()).channels).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('mail server') },
    ]);
    await watch.look(Date.now(), 0);
    expect(await told('email')).toEqual([]);
    await watch.look(Date.now() + GRACE_MS, 0);
    expect(await told('email')).toEqual([
      expect.stringMatching(/^No answer from email It has not answered since .*: The mail server/),
    ]);
    await db.query(`INSERT INTO canary_probes (channel, outcome, reason, took_ms) VALUES ('email', 'answered', '', 1)`);
    await watch.look(Date.now(), 0);
    expect((await told('email'))[1]).toMatch(/^Answers again: email The channel works again/);
  });

  it('go when they are old, with the probes; what lasts stays', async () => {
    const old = `now() - interval '15 days'`;
    await db.query(`UPDATE canary_runs SET stored_at = ${old} WHERE monitor_id = 'deaf'`);
    await db.query(
      `INSERT INTO canary_probes (channel, outcome, reason, took_ms, at) VALUES ('email', 'failed', '', 1, ${old})`,
    );
    await db.query(`INSERT INTO canary_episodes (kind, subject, part, reason, started_at, ended_at) VALUES
      ('monitor', 'old', 'run', '', ${old}, ${old}), ('monitor', 'lasting', 'run', '', ${old}, NULL)`);
    await api.app.get(RetentionService, { strict: false }).sweep(new AbortController().signal);
    const { runs, troubles } = await report();
    expect(runs.map(({ monitorId }) => monitorId)).not.toContain('deaf');
    expect(runs.map(({ monitorId }) => monitorId)).toContain('kept');
    expect(troubles).toMatchObject([{ subject: 'lasting' }]);
    expect(await db.query(`SELECT 1 FROM canary_probes WHERE at < now() - interval '14 days'`)).toEqual([]);
    expect(await db.query(`SELECT 1 FROM canary_episodes WHERE subject = 'old'`)).toEqual([]);
  });

  /** The others are taken away, so that nothing is late of them when the clock is put forward. */
  async function withdrawAllBut(monitorId: string): Promise<void> {
    await db.query('DELETE FROM canary_monitors WHERE monitor_id <> $1', [monitorId]);
    const directory = api.app.get(MonitorDirectory, { strict: false });
    for (const { monitorId: id } of await directory.list()) await directory.withdraw(id);
  }
});
