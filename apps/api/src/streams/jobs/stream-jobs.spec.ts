import { TestApi } from '../../test-api.fixture.js';
import { rowsOfCsv } from './import-rows.js';
import type { StreamJob } from './stream-jobs.dto.js';

describe('jobs on streams', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    admin = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  async function finished(id: unknown): Promise<StreamJob> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const { body } = await api.call('GET', `/api/streams/jobs/${String(id)}`, admin);
      if (body['state'] !== 'running') return body as unknown as StreamJob;
      if (Date.now() > deadline) throw new Error('the job does not end');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('imports rows of CSV, each with a result of its own', async () => {
    const csv = [
      'name,url,priority',
      'gate,https://example.com/gate.m3u8,2',
      'door,not a url,',
      '"yard, north",https://example.com/yard.m3u8,',
      'gate,https://example.com/other.m3u8,',
      'roof,https://example.com/roof.m3u8,first',
    ].join('\n');
    const response = await fetch(`${api.url}/api/streams/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'text/csv' },
      body: csv,
    });
    expect(response.status).toBe(202);
    const job = await finished(((await response.json()) as StreamJob).id);
    expect(job).toMatchObject({ kind: 'import', state: 'done', total: 5, finished: 5 });
    const outcomes = job.results.map(({ row, name, outcome }) => [row, name, outcome]);
    expect(outcomes.filter(([, name]) => name !== 'gate')).toEqual([
      [2, 'door', 'refused'],
      [3, 'yard, north', 'created'],
      [5, 'roof', 'refused'],
    ]);
    expect(
      outcomes
        .filter(([, name]) => name === 'gate')
        .map(([, , outcome]) => outcome)
        .sort(),
    ).toEqual(['created', 'duplicate']);
    expect(job.results[1]?.detail).toContain('url');
  });

  it.each(['', 'name,url\n"open', '{"streams":', 'name,url\na\0b,https://example.com/a'])(
    'refuses what is no table: %j',
    async (body) => {
      const response = await fetch(`${api.url}/api/streams/import`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'text/csv' },
        body,
      });
      expect(response.status).toBe(400);
    },
  );

  it('follows a stream until it is on air, also as server-sent events', async () => {
    const begun = await api.call('POST', '/api/streams/jobs', admin, { name: 'live', url: 'https://example.com/l' });
    expect(begun.body).toMatchObject({ kind: 'start', state: 'running', total: 1 });
    const events = await fetch(`${api.url}/api/streams/jobs/${String(begun.body['id'])}/events`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const { body } = await api.call('GET', '/api/streams?monitored=true', admin);
    const [stream] = body['items'] as { id: string; name: string }[];
    expect(stream?.name).toBe('live');
    // No monitor runs here, so the reconciler calls the stream pending again and again.
    const saying = setInterval(() => void api.onAir(stream?.id ?? ''), 50);
    const text = await events.text();
    clearInterval(saying);
    const told = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? '') as StreamJob);
    expect(told[0]?.state).toBe('running');
    expect(told.at(-1)).toMatchObject({ state: 'done', results: [{ name: 'live', outcome: 'on_air' }] });
  });

  it('looks for watched streams anew and leaves the others alone', async () => {
    const idle = await api.call('POST', '/api/streams', admin, { name: 'idle', url: 'https://example.com/i' });
    const begun = await api.call('POST', `/api/streams/${String(idle.body['id'])}/refresh`, admin);
    const job = await finished(begun.body['id']);
    expect(job.results).toMatchObject([{ name: 'idle', outcome: 'skipped' }]);
    expect((await api.call('POST', '/api/streams/refresh', admin, {})).status).toBe(400);
  });

  it('takes a status by hand for what is not watched, and only for that', async () => {
    const idle = await api.call('POST', '/api/streams', admin, { name: 'manual', url: 'https://example.com/m' });
    const path = `/api/streams/${String(idle.body['id'])}`;
    const set = await api.call('POST', `${path}/status`, admin, { status: 'offline', detail: 'Begins at nine.' });
    expect(set.body['status']).toMatchObject({ status: 'offline', detail: 'Begins at nine.' });
    await api.call('POST', `/api/monitoring/stream/${String(idle.body['id'])}/start`, admin);
    expect((await api.call('POST', `${path}/status`, admin, { status: 'live' })).status).toBe(409);
  });
});

describe('rows of CSV', () => {
  it('keep text as text, read numbers where numbers belong, and leave empty cells out', () => {
    expect(rowsOfCsv('\ufeffname,url,priority\n 007 ,https://e.com/a,3\nb,,\n')).toEqual([
      { name: '007', url: 'https://e.com/a', priority: 3 },
      { name: 'b' },
    ]);
  });
});
