import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Fact, VideoOpened } from '#libs/contracts/facts.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { connectRedis } from '#libs/bus/redis.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { ROOMS } from '#libs/contracts/names.js';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, testRedisUrl } from '#libs/testing/test-database.js';
import { AccessTokens } from './auth/access-tokens.js';
import { RefreshTokens } from './auth/refresh-tokens.js';
import type { UserRole } from './auth/authenticated-user.js';
import { PasswordHasher } from './users/password-hasher.js';
import { createApp } from './create-app.js';
import { EVIDENCE_STORE } from './detections/detections.service.js';
import { FactWriter, runEffects } from './detections/fact-writer.js';
import { AppEvents } from './events/app-events.js';
import { RootGateway } from './realtime/gateways.js';
import { UsersRepository } from './users/users.repository.js';

/** Password of everybody a test makes, the first admin included. */
export const TEST_PASSWORD = 'a password for tests';

/** An answer of the api. `body` is parsed JSON, null for none. */
interface TestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The whole api, listening, with a database and a Redis of its own; for specs alone. */
export class TestApi {
  private passwordHash: Promise<string> | undefined;

  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  /** @param env settings on top of the test's own. @param redis number of the Redis database, which is wiped. */
  static async start(env: Readonly<Record<string, string>> = {}, redis = 9): Promise<TestApi> {
    const database = await createTestDatabase();
    const evidence = await mkdtemp(join(tmpdir(), 'vigil-evidence-'));
    const logger = createLogger('test', 'silent');
    const redisUrl = testRedisUrl(redis);
    const wiping = connectRedis(redisUrl, 'wipe', logger);
    await wiping.flushdb();
    wiping.disconnect();
    const values = {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      EVIDENCE_URL: pathToFileURL(evidence).href,
      DEFAULT_ADMIN_PASSWORD: TEST_PASSWORD,
      RECONCILE_INTERVAL_MS: '200',
      ...env,
    };
    return TestApi.listen(values, async () => {
      await database.drop();
      await rm(evidence, { recursive: true, force: true });
    });
  }

  /** Another process's worth of api on the same database and Redis. */
  beside(): Promise<TestApi> {
    return TestApi.listen(this.env, () => Promise.resolve());
  }

  private static async listen(env: Readonly<Record<string, string>>, cleanUp: () => Promise<void>): Promise<TestApi> {
    const app = await createApp(parseSettings(apiSettings, env), createLogger('test', 'silent'));
    await app.listen(0, '127.0.0.1');
    return new TestApi(app, await app.getUrl(), env, cleanUp);
  }

  get events(): AppEvents {
    return this.app.get(AppEvents, { strict: false });
  }

  async call(method: string, path: string, token: string | null = null, body?: unknown): Promise<TestAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const json = response.headers.get('content-type')?.includes('json') === true;
    const bytes = await response.arrayBuffer();
    const parsed = json ? (JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, body: parsed };
  }

  login(username: string, password = TEST_PASSWORD): Promise<TestAnswer> {
    return this.call('POST', '/api/auth/login', null, { username, password });
  }

  /** Makes a user past the api. @returns its id. */
  async user(username: string, role: UserRole): Promise<string> {
    this.passwordHash ??= this.app.get(PasswordHasher, { strict: false }).hash(TEST_PASSWORD);
    const passwordHash = await this.passwordHash;
    const email = `${username}@example.com`;
    const users = this.app.get(UsersRepository, { strict: false });
    return (await users.create({ username, email, name: '', role, passwordHash, mustChangePassword: false })).id;
  }

  /** Opens a sign-in of a user past the api. @returns its access token. */
  async token(userId: string, lifeSeconds?: number): Promise<string> {
    const { sessionId } = await this.app.get(RefreshTokens, { strict: false }).open(userId);
    return this.app.get(AccessTokens, { strict: false }).issue(userId, sessionId, lifeSeconds);
  }

  async disable(userId: string): Promise<void> {
    await this.app.get(UsersRepository, { strict: false }).update(userId, { disabledAt: new Date() });
  }

  /** Stores facts as the ingest does, all of them in one batch, and tells of them. @returns reasons of those it buried. */
  async store(...facts: readonly Fact[]): Promise<string[]> {
    const buried: string[] = [];
    const written = await this.app.get(FactWriter, { strict: false }).write(
      facts.map((fact, index) => {
        const origin = { v: 1 as const, spoolId: randomUUID(), seq: 1, floor: 1 };
        const envelope = { ...origin, fact };
        return { id: `0-${String(index)}`, raw: JSON.stringify(envelope), envelope, origin, fault: null };
      }),
      async (_entry, reason) => void buried.push(reason),
    );
    await runEffects(written.effects, (error) => {
      throw error;
    });
    return buried;
  }

  /** Stores a detection with its image and clip as the ingest does, and tells of it. */
  async detect(streamId: string, { ruleId = randomUUID() }: { ruleId?: string } = {}): Promise<DetectionView> {
    const eventId = randomUUID();
    const evidenceKey = `detections/${streamId}/${eventId}.jpg`;
    const clipKey = `detections/${streamId}/${eventId}.wav`;
    const evidence = this.app.get<EvidenceStore>(EVIDENCE_STORE, { strict: false });
    for (const key of [evidenceKey, clipKey]) await evidence.put(key, Buffer.from('some bytes'));
    let stored: DetectionView | undefined;
    const off = this.events.on('detection.stored', (view) => {
      if (view.id === eventId) stored = view;
    });
    await this.store(videoFact(streamId, { eventId, evidenceKey, clipKey, ruleId }));
    off();
    if (stored === undefined) throw new Error('the detection was not told of');
    return stored;
  }

  /** Has a session say that a watched stream is live, as the ingest would. */
  async onAir(streamId: string): Promise<void> {
    await this.store({
      type: 'stream.status',
      ...{ streamId, session: Date.now(), generation: 1_000, monitorId: 'test' },
      ...{ status: 'live', reason: null, detail: '', at: Date.now() },
    });
  }

  /** Ids of the sockets that hear of a stream here. */
  socketsOf(streamId: string): string[] {
    const { namespace } = this.app.get(RootGateway, { strict: false });
    return [...(namespace?.adapter.rooms.get(ROOMS.stream(streamId)) ?? [])];
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.cleanUp();
  }
}

/** Something that was seen on a stream, as a monitor says it. */
export function videoFact(streamId: string, changes: Partial<VideoOpened> = {}): VideoOpened {
  const now = Date.now();
  return {
    type: 'detection.opened',
    eventId: randomUUID(),
    streamId,
    session: 1,
    kind: 'video',
    ruleId: randomUUID(),
    ruleVersion: 1,
    label: 'person',
    severity: 'medium',
    confidence: 0.8,
    objects: [{ label: 'person', score: 0.8, box: [1, 2, 3, 4] }],
    frame: { width: 640, height: 360 },
    evidenceKey: null,
    clipKey: null,
    detector: 'yolo',
    model: 'test',
    detail: '',
    startedAt: now,
    detectedAt: now,
    ptsMs: 0,
    ...changes,
  };
}
