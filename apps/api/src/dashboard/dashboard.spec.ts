import { DataSource } from 'typeorm';
import { TestApi } from '../test-api.fixture.js';
import type { AgentPerformance, Dashboard, DetectionSeries } from './dashboard.dto.js';

describe('the figures', () => {
  let api: TestApi;
  let admin: string;
  let ann: string;
  let annId: string;
  const streams: Record<'door' | 'yard', string> = { door: '', yard: '' };
  const detections: string[] = [];

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    admin = await api.token(await api.user('chief', 'admin'));
    annId = await api.user('ann', 'agent');
    ann = await api.token(annId);
    for (const name of ['door', 'yard'] as const) {
      const made = await api.call('POST', '/api/streams', admin, { name, url: 'https://example.com/a' });
      streams[name] = String(made.body['id']);
    }
    await api.call('POST', '/api/assignments', admin, { streamId: streams.door, agentId: annId });
    for (let i = 0; i < 4; i += 1) detections.push((await api.detect(streams.door)).id);
    detections.push((await api.detect(streams.yard)).id);
  }, 60_000);

  afterAll(() => api.close());

  it('of the dashboard are counted from the rows, for an agent from those of its streams', async () => {
    const all = (await api.call('GET', '/api/dashboard', admin)).body as unknown as Dashboard;
    expect(all.detections).toMatchObject({ lastHour: 5, last24Hours: 5, unreviewed: 5 });
    expect(all.detections.byKind).toEqual([{ kind: 'video', count: 5 }]);
    expect(all.busiestStreams.map(({ name, count }) => [name, count])).toEqual([
      ['door', 4],
      ['yard', 1],
    ]);
    expect(all.agents).toMatchObject({ total: 1, enabled: 1, online: 0 });
    const own = (await api.call('GET', '/api/agent/dashboard', ann)).body;
    expect(own).toMatchObject({ streams: { total: 1 }, detections: { last24Hours: 4 }, unreadNotifications: 4 });
  });

  it('over time show an agent nothing of streams that are not its own', async () => {
    const lines = async (token: string, query: string): Promise<DetectionSeries['series']> =>
      ((await api.call('GET', `/api/analytics/detections?${query}`, token)).body as unknown as DetectionSeries).series;
    expect((await lines(admin, 'by=stream')).map(({ name, total }) => [name, total])).toEqual([
      ['door', 4],
      ['yard', 1],
    ]);
    expect((await lines(ann, 'by=stream')).map(({ name, total }) => [name, total])).toEqual([['door', 4]]);
    expect(await lines(ann, `by=kind&streamId=${streams.yard}`)).toEqual([]);
    const hours = await lines(admin, 'by=severity&bucket=hour');
    expect(hours[0]?.points.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  });

  it.each([
    'bucket=hour&from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z',
    'from=2030-01-01T00:00:00Z',
    'by=password',
  ])('refuse what cannot be shown: %s', async (query) => {
    expect((await api.call('GET', `/api/analytics/detections?${query}`, admin)).status).toBe(400);
  });

  it('of an agent say what it read, how soon, and what it judged', async () => {
    const [first = '', second = ''] = detections;
    await api.call('PUT', `/api/detections/${first}/verdict`, ann, { verdict: 'false', note: 'A poster.' });
    await api.call('PUT', `/api/detections/${second}/verdict`, ann, { verdict: 'unsure' });
    await api.call('PUT', `/api/detections/${second}/verdict`, ann, { verdict: 'true' });
    await api.app.get(DataSource).query(
      `UPDATE notifications SET read_at = created_at + interval '2 seconds'
       WHERE user_id = $1 AND detection_id = ANY($2)`,
      [annId, [first, second]],
    );
    const path = `/api/agents/${annId}/performance`;
    const figures = (await api.call('GET', path, ann)).body as unknown as AgentPerformance;
    expect(figures).toMatchObject({
      ...{ notified: 4, acknowledged: 2, verdicts: { true: 1, false: 1, unsure: 1 }, verdictRate: 0.5 },
      ...{ timeToAcknowledge: { p50: 2_000, p95: 2_000 } },
      byKind: [{ kind: 'video', notified: 4, acknowledged: 2, verdicts: 2 }],
    });
    expect(figures.timeline.reduce((sum, { notified }) => sum + notified, 0)).toBe(4);
    const history = await api.call('GET', `/api/detections/${second}/verdicts`, admin);
    expect((history.body['items'] as { verdict: string }[]).map(({ verdict }) => verdict)).toEqual(['true', 'unsure']);
    expect(
      (await api.call('PUT', `/api/detections/${detections[4] ?? ''}/verdict`, ann, { verdict: 'true' })).status,
    ).toBe(404);
    expect((await api.call('GET', '/api/dashboard', admin)).body['detections']).toMatchObject({ unreviewed: 3 });
  });
});
