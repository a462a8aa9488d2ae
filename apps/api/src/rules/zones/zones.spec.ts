import { randomUUID } from 'node:crypto';
import { RuleBoard } from '#libs/bus/rule-board.js';
import { TestApi } from '../../test-api.fixture.js';

const SQUARE = [
  [0.1, 0.1],
  [0.9, 0.1],
  [0.9, 0.9],
  [0.1, 0.9],
];

describe('zones', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    admin = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  const board = () => api.app.get(RuleBoard, { strict: false }).get();

  async function stream(): Promise<{ id: string; path: string }> {
    const url = 'https://example.com/a.m3u8';
    const { body } = await api.call('POST', '/api/streams', admin, { name: randomUUID(), url });
    const id = String(body['id']);
    return { id, path: `/api/streams/${id}/zones` };
  }

  it('are made, changed and removed, and the board has each change at once', async () => {
    const { id, path } = await stream();
    const made = await api.call('POST', path, admin, { name: 'Door', points: SQUARE });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'Door', kind: 'include', labels: [], version: 1, streamId: id },
    });
    const zoneId = String(made.body['id']);
    const before = await board();
    expect(before?.zones).toEqual([{ id: zoneId, streamId: id, kind: 'include', points: SQUARE, labels: [] }]);
    const changed = await api.call('PATCH', `${path}/${zoneId}`, admin, { kind: 'exclude', labels: ['person'] });
    expect(changed).toMatchObject({ status: 200, body: { kind: 'exclude', version: 2, points: SQUARE } });
    const after = await board();
    expect(after).toMatchObject({
      version: (before?.version ?? 0) + 1,
      zones: [{ kind: 'exclude', labels: ['person'] }],
    });
    expect((await api.call('GET', path, admin)).body).toMatchObject({ items: [{ id: zoneId }] });
    const elsewhere = await stream();
    expect((await api.call('GET', `${elsewhere.path}/${zoneId}`, admin)).status).toBe(404);
    expect((await api.call('DELETE', `${path}/${zoneId}`, admin)).status).toBe(204);
    expect((await board())?.zones).toEqual([]);
    expect((await api.call('DELETE', `${path}/${zoneId}`, admin)).status).toBe(404);
  });

  it.each([
    ['two points', SQUARE.slice(0, 2), '3'],
    ['51 points', Array.from({ length: 51 }, (_, index) => [index / 51, (index % 2) / 2]), '50'],
    ['the same point thrice', [SQUARE[0], SQUARE[0], SQUARE[0]], 'three different points'],
    [
      'a line',
      [
        [0, 0],
        [0.5, 0.5],
        [1, 1],
      ],
      'no area',
    ],
    [
      'a bow tie whose halves cancel out',
      [
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1],
      ],
      'no area',
    ],
    [
      'a point outside the picture',
      [
        [0, 0],
        [1.1, 0],
        [0, 1],
      ],
      '1',
    ],
  ])('refuse %s with a sentence', async (_, points, sentence) => {
    const { path } = await stream();
    const answer = await api.call('POST', path, admin, { name: 'bad', points });
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(JSON.stringify(answer.body['errors'])).toContain(sentence);
  });

  it('have names of their own on a stream, and 50 are the most', async () => {
    const { path } = await stream();
    for (let index = 0; index < 50; index++) {
      expect((await api.call('POST', path, admin, { name: `zone ${index}`, points: SQUARE })).status).toBe(201);
    }
    expect(await api.call('POST', path, admin, { name: 'more', points: SQUARE })).toMatchObject({
      status: 409,
      body: { code: 'zone.limit.conflict', detail: expect.stringContaining('50') as string },
    });
    const other = await stream();
    expect((await api.call('POST', other.path, admin, { name: 'zone 0', points: SQUARE })).status).toBe(201);
    expect(await api.call('POST', other.path, admin, { name: 'ZONE 0', points: SQUARE })).toMatchObject({
      status: 409,
      body: { code: 'zone.name.conflict' },
    });
    expect((await api.call('DELETE', path.replace('/zones', ''), admin)).status).toBe(204);
    expect((await api.call('DELETE', other.path.replace('/zones', ''), admin)).status).toBe(204);
  });

  it('go with their stream, and the monitors hear of it; a stream without zones changes no rules', async () => {
    const [bare, zoned] = [await stream(), await stream()];
    await api.call('POST', zoned.path, admin, { name: 'Door', points: SQUARE });
    const before = await board();
    expect(before?.zones).toHaveLength(1);
    await api.call('DELETE', bare.path.replace('/zones', ''), admin);
    expect((await board())?.version).toBe(before?.version);
    await api.call('DELETE', zoned.path.replace('/zones', ''), admin);
    for (let tries = 0; (await board())?.zones.length !== 0; tries++) {
      if (tries > 400) throw new Error('the zone stayed on the board');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await board())?.version).toBe((before?.version ?? 0) + 1);
    expect((await api.call('POST', zoned.path, admin, { name: 'Door', points: SQUARE })).status).toBe(404);
  });
});
