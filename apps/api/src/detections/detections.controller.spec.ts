import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import type { VideoOpened } from '#libs/contracts/facts.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { createApp } from '../create-app.js';
import { DetectionPage } from './detections.dto.js';
import { DetectionsRepository } from './detections.repository.js';

const PASSWORD = 'correct horse battery';
const KEY = 'detections/a.jpg';

describe('the detections of the api', () => {
  let database: TestDatabase;
  let directory: string;
  let app: NestExpressApplication;
  let base: string;
  let admin: string;
  let agent: string;
  const streams = { door: '', yard: '' };
  let ids: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'vigil-evidence-'));
    const settings = parseSettings(apiSettings, {
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(9),
      EVIDENCE_URL: pathToFileURL(directory).href,
      DEFAULT_ADMIN_PASSWORD: PASSWORD,
    });
    app = await createApp(settings, createLogger('api', 'silent'));
    await app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${String((app.getHttpServer().address() as AddressInfo).port)}`;
    admin = await signIn('admin');
    const dataSource = app.get(DataSource);
    const [user] = await dataSource.query<{ id: string }[]>(
      `INSERT INTO users (username, email, password_hash, role)
       SELECT 'ann', 'ann@example.test', password_hash, 'agent' FROM users LIMIT 1 RETURNING id`,
    );
    for (const name of ['door', 'yard'] as const) {
      const [stream] = await dataSource.query<{ id: string }[]>(
        `INSERT INTO streams (name, url) VALUES ($1, 'http://example.test/a.m3u8') RETURNING id`,
        [name],
      );
      streams[name] = stream?.id ?? '';
    }
    await dataSource.query('INSERT INTO assignments (agent_id, stream_id) VALUES ($1, $2)', [user?.id, streams.door]);
    agent = await signIn('ann');
    const facts = [
      opened({ streamId: streams.door, evidenceKey: KEY }),
      opened({ streamId: streams.yard, label: 'dog', severity: 'low', detectedAt: 1_700_000_100_000 }),
      opened({ streamId: streams.door, label: 'Person' }),
    ];
    ids = facts.map(({ eventId }) => eventId);
    await dataSource.transaction((tx) => app.get(DetectionsRepository).insert(tx, facts));
    const picture = sharp({ create: { width: 320, height: 180, channels: 3, background: '#202020' } });
    await createEvidenceStore(settings.EVIDENCE_URL).put(KEY, await picture.jpeg().toBuffer());
  }, 30_000);

  afterAll(async () => {
    await app.close();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });

  function opened(changes: Partial<VideoOpened>): VideoOpened {
    return {
      type: 'detection.opened',
      eventId: randomUUID(),
      streamId: streams.door,
      session: 1,
      kind: 'video',
      ruleId: randomUUID(),
      ruleVersion: 1,
      label: 'person',
      severity: 'high',
      confidence: 0.9,
      objects: [{ label: 'person', score: 0.9, box: [100, 60, 200, 160] }],
      frame: { width: 320, height: 180 },
      evidenceKey: null,
      detector: 'yolo',
      detail: '',
      clipKey: null,
      model: 'yolox-nano',
      startedAt: 1_700_000_000_000,
      detectedAt: 1_700_000_001_000,
      ptsMs: 1_000,
      ...changes,
    };
  }

  async function signIn(username: string): Promise<string> {
    const response = await fetch(`${base}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: PASSWORD }),
    });
    return z.object({ accessToken: z.string() }).parse(await response.json()).accessToken;
  }

  function get(path: string, token?: string): Promise<Response> {
    return fetch(base + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  }

  async function list(path: string, token: string): Promise<z.infer<typeof DetectionPage>> {
    const response = await get(path, token);
    expect(response.status).toBe(200);
    return DetectionPage.parse(await response.json());
  }
  const idsOf = ({ items }: { items: DetectionView[] }): string[] => items.map(({ id }) => id);

  it('are listed newest first to an admin, and to an agent those of its own streams', async () => {
    expect(idsOf(await list('/api/detections', admin))).toEqual([...ids].reverse());
    expect(idsOf(await list('/api/detections', agent))).toEqual([ids[2], ids[0]]);
    expect(idsOf(await list(`/api/streams/${streams.yard}/detections`, admin))).toEqual([ids[1]]);
    expect(idsOf(await list(`/api/streams/${streams.yard}/detections`, agent))).toEqual([]);
    expect((await get('/api/detections')).status).toBe(401);
  });

  it('page by cursor without a gap or a double', async () => {
    const first = await list('/api/detections?limit=2', admin);
    const second = await list(`/api/detections?limit=2&cursor=${first.nextCursor ?? ''}`, admin);
    expect([...idsOf(first), ...idsOf(second)]).toEqual([...ids].reverse());
    expect(second.nextCursor).toBeNull();
    expect((await get('/api/detections?cursor=nonsense', admin)).status).toBe(400);
  });

  it.each([
    ['label=PERSON', [2, 0]],
    ['severity=low', [1]],
    ['from=2023-11-14T22:14:00Z', [1]],
    ['to=2023-11-14T22:14:00%2B00:00', [2, 0]],
  ])('are filtered by %s', async (query, expected) => {
    expect(idsOf(await list(`/api/detections?${query}`, admin))).toEqual(expected.map((index) => ids[index]));
  });

  it('are not there for whoever may not see them', async () => {
    expect((await get(`/api/detections/${ids[1] ?? ''}`, admin)).status).toBe(200);
    const hidden = await get(`/api/detections/${ids[1] ?? ''}`, agent);
    expect(hidden.status).toBe(404);
    expect(await hidden.json()).toMatchObject({ code: 'detection.not_found' });
    expect((await get('/api/detections/7', admin)).status).toBe(400);
  });

  it('show their image to whoever may see them, clean or with boxes', async () => {
    const path = `/api/detections/${ids[0] ?? ''}/image`;
    const clean = await get(path, agent);
    expect(clean.status).toBe(200);
    expect(clean.headers.get('content-type')).toBe('image/jpeg');
    expect(clean.headers.get('cache-control')).toContain('private');
    expect(clean.headers.get('x-content-type-options')).toBe('nosniff');
    const drawn = await get(`${path}?boxes=1`, admin);
    const pixels = async (response: Response): Promise<Buffer> =>
      sharp(Buffer.from(await response.arrayBuffer()))
        .raw()
        .toBuffer();
    const edge = (110 * 320 + 100) * 3;
    expect((await pixels(clean))[edge]).toBeLessThan(70);
    expect((await pixels(drawn))[edge]).toBeGreaterThan(180);
    expect((await get(path)).status).toBe(401);
    expect((await get(path, 'nonsense')).status).toBe(401);
    expect((await get(`/api/detections/${ids[2] ?? ''}/image`, admin)).status).toBe(404);
    expect((await get(`/api/detections/${ids[1] ?? ''}/image`, agent)).status).toBe(404);
  });

  it('carry a link that shows the image without a token, and nothing else', async () => {
    const { items } = await list('/api/detections', agent);
    const link = items[1]?.imageUrl ?? '';
    expect(items[0]?.imageUrl).toBeNull();
    expect((await get(link)).status).toBe(200);
    expect((await get(`${link}&boxes=1`)).status).toBe(200);
    const forged = await get(link.replace(ids[0] ?? '', ids[1] ?? ''));
    expect(forged.status).toBe(401);
    expect(await forged.json()).toMatchObject({ code: 'detection.image.unauthorized' });
    expect((await get(link.replace(/expires=\d/, 'expires=9'))).status).toBe(401);
    expect((await get(`${link.slice(0, -2)}AA`)).status).toBe(401);
  });
});
