import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import type { MonitorHeartbeat, SessionReport } from '#libs/contracts/monitors.js';
import { TEST_PASSWORD, TestApi } from '../../apps/api/src/test-api.fixture.js';
import { MonitorMetrics } from '../../apps/monitor/src/metrics/monitor-metrics.js';

const TOKEN = 'a-token-for-Prometheus';
const part = { state: 'live' as const, detail: '', since: 0 };
const session = (changes: Partial<SessionReport>): SessionReport => ({
  ...{ streamId: '4be0643f-1d98-473b-97cd-ca98a65347dd', session: 1, generation: 1, status: 'live', reason: null },
  ...{ detail: '', startedAt: 0, lastFrameAt: Date.now(), inspectedFps: 1, framesCaptured: 10, framesInspected: 9 },
  ...{ framesDropped: 1, restarts: 0, parts: { video: part, audio: part, speech: part, chat: part } },
  ...{ sound: null, chat: null, findingsDropped: 0 },
  ...changes,
});
const heartbeat = (sessions: SessionReport[]): MonitorHeartbeat => ({
  ...{ v: 1, monitorId: 'm', host: 'h', pid: 1, version: '1', startedAt: 0, at: 0, capacity: 20 },
  ...{ platforms: [], chatSources: [], sessions },
  detectors: [{ id: 'yolo', title: '', options: {}, state: 'ready', detail: '', model: 'm', labels: [] }],
  spool: { pending: 3, bytes: 4, shedFrames: 5, shedRecords: 6 },
  egress: { refused: 7, requests: 8, bytes: 9 },
  proxies: [
    {
      ...{ name: '1 proxy.test:8080', state: 'healthy', successes: 2, failures: 1 },
      ...{ lastError: null, benchedUntil: null, streams: 0 },
    },
  ],
});
const inference = {
  ...{ threads: 1, queued: 0, running: 0, done: 9, failed: 0, refused: 0, timedOut: 0, aborted: 0 },
  ...{ restarts: 0, busyMs: 1_000 },
};
/** Names of figures in an answer. */
const namesIn = (text: string): Set<string> =>
  new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
/** The value of a line. */
const valueOf = (text: string, line: string): number =>
  Number(
    text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );

describe('metrics', () => {
  let api: TestApi;
  let sessions: SessionReport[] = [session({})];
  let ready = true;
  const monitor = new MonitorMetrics({
    isReady: () => ready,
    heartbeat: () => {
      if (!ready) throw new Error('not yet');
      return heartbeat(sessions);
    },
    inference: () => inference,
  });

  beforeAll(async () => {
    api = await TestApi.start({ METRICS_TOKEN: TOKEN });
  }, 60_000);
  afterAll(async () => {
    monitor.stop();
    await api.close();
  });

  const scrape = async (token: string | null, path = '/metrics'): Promise<{ status: number; text: string }> => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(api.url + path, { headers });
    return { status: response.status, text: await response.text() };
  };

  it('are for admins and the bearer of the token alone', async () => {
    const admin = await api.login('admin', TEST_PASSWORD);
    const agent = await api.token(await api.user('agent', 'agent'));
    expect((await scrape(null)).status).toBe(401);
    expect((await scrape(`${TOKEN}x`)).status).toBe(401);
    expect((await scrape(agent)).status).toBe(403);
    expect((await scrape(TOKEN)).status).toBe(200);
    expect((await scrape(String(admin.body['accessToken']), '/api/metrics')).status).toBe(200);
  });

  it('count requests by route, whatever the path, and what the rooms do', async () => {
    for (const id of ['1', '2', '3']) await api.call('GET', `/api/streams/${id}?token=secret`);
    await api.call('GET', '/nowhere/at/all');
    const { text } = await scrape(TOKEN);
    expect(text).toMatch(/^vigil_http_request_seconds_count\{(?=.*status="401").*route="\/api\/streams\/:id".*\} 3$/m);
    expect(text).toMatch(/\{(?=.*status="404").*route="none"/);
    expect(text).not.toContain('secret');
    expect(valueOf(text, 'vigil_ingest_leader{app="api"}')).toBeGreaterThanOrEqual(0);
    expect(valueOf(text, 'vigil_captures{state="waiting",app="api"}')).toBe(0);
  });

  it('of a monitor never fall when a session ends, and are fewer, not broken, before it is ready', async () => {
    sessions = [session({})];
    expect(valueOf(await monitor.text(), 'vigil_frames_captured_total{app="monitor"}')).toBe(10);
    sessions = [session({ framesCaptured: 15 }), session({ session: 2, framesCaptured: 4 })];
    expect(valueOf(await monitor.text(), 'vigil_frames_captured_total{app="monitor"}')).toBe(19);
    sessions = [];
    expect(valueOf(await monitor.text(), 'vigil_frames_captured_total{app="monitor"}')).toBe(19);
    ready = false;
    const early = await monitor.text();
    ready = true;
    expect(valueOf(early, 'vigil_monitor_ready{app="monitor"}')).toBe(0);
    expect(early).not.toMatch(/^vigil_spool_pending\{/m);
  });

  it.each(['ops/grafana/vigil.json', 'ops/prometheus/alerts.yml'])('named in %s are there', async (file) => {
    const known = new Set([...namesIn((await scrape(TOKEN)).text), ...namesIn(await monitor.text())]);
    const used = readFileSync(join(repositoryRoot, file), 'utf8').match(/\b(vigil|nodejs|process)_[a-z0-9_]+\b/g) ?? [];
    expect(used.length).toBeGreaterThan(10);
    const unknown = used.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, '')));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('of this product are all on the dashboard or in a rule, or said to be for looking up alone', async () => {
    const known = [...new Set([...namesIn((await scrape(TOKEN)).text), ...namesIn(await monitor.text())])];
    const used = ['ops/grafana/vigil.json', 'ops/prometheus/alerts.yml']
      .map((file) => readFileSync(join(repositoryRoot, file), 'utf8'))
      .join('\n');
    const forLookingUp = [
      ...['vigil_ingest_faults_total', 'vigil_monitor_ready', 'vigil_sessions', 'vigil_session_inspected_fps'],
      ...['vigil_capture_restarts_total', 'vigil_spool_bytes', 'vigil_egress_requests_total'],
      ...['vigil_inference_restarts_total', 'vigil_retention_files_total', 'vigil_retention_overruns_total'],
      'vigil_spans_total',
    ];
    const unseen = known.filter((name) => name.startsWith('vigil_') && !used.includes(name));
    expect(unseen.sort()).toEqual(forLookingUp.sort());
  });
});
