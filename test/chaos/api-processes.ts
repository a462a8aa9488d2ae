import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { FactPublisher } from '#libs/bus/fact-stream.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import type { Fact, FactEnvelope } from '#libs/contracts/facts.js';
import { createLogger } from '#libs/observability/logger.js';
import { freePort } from '#tools/services/preflight.js';
import { ManagedProcess } from '#tools/services/process.js';
import { AccessTokens } from '../../apps/api/src/auth/access-tokens.js';

/** How long a token of a test holds, s. */
const TOKEN_SECONDS = 3_600;

/** An api that runs, and where. */
export interface ApiProcess {
  process: ManagedProcess;
  url: string;
}

/** Somebody who is signed in. */
export interface SignedIn {
  id: string;
  token: string;
}

/** Processes of the api on one database and one Redis, with signed-in users made past them. */
export class ApiProcesses {
  readonly all: ApiProcess[] = [];
  private readonly tokens: AccessTokens;

  private constructor(
    readonly database: pg.Pool,
    readonly redis: RedisConnection,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    secret: string,
  ) {
    this.tokens = new AccessTokens(secret);
  }

  /** Starts them; Redis is wiped. @param env settings on top of the usual ones. */
  static async start(
    count: number,
    place: { databaseUrl: string; redisUrl: string },
    env: Readonly<Record<string, string>> = {},
  ): Promise<ApiProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'vigil-apis-'));
    const secret = randomBytes(48).toString('base64url');
    const redis = connectRedis(place.redisUrl, 'test', createLogger('test', 'silent'));
    await redis.flushdb();
    const processes = new ApiProcesses(
      new pg.Pool({ connectionString: place.databaseUrl, max: 4 }),
      redis,
      folder,
      childEnvironment({
        ...{ NODE_ENV: 'development', NODE_OPTIONS: undefined, LOG_LEVEL: 'warn', JWT_SECRET: secret },
        ...{ DATABASE_URL: place.databaseUrl, REDIS_URL: place.redisUrl },
        EVIDENCE_URL: pathToFileURL(join(folder, 'evidence')).href,
        ...env,
      }),
      secret,
    );
    // Ends every connection that the database is dropped under.
    processes.database.on('error', () => undefined);
    try {
      await Promise.all(Array.from({ length: count }, () => processes.add()));
      return processes;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ process }) => process.stop()));
    this.redis.disconnect();
    await this.database.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Makes users, each signed in: logins cost what passwords cost, which is no part of any of this. */
  async signIn(usernames: readonly string[], role: 'admin' | 'agent'): Promise<SignedIn[]> {
    const { rows } = await this.database.query<{ id: string; sessionId: string }>(
      `WITH u AS (
         INSERT INTO users (username, email, password_hash, role)
         SELECT name, name || '@example.test', '-', $2 FROM unnest($1::text[]) AS name RETURNING id
       )
       INSERT INTO auth_sessions (user_id, expires_at) SELECT id, now() + interval '1 day' FROM u
       RETURNING user_id AS id, id AS "sessionId"`,
      [usernames, role],
    );
    return Promise.all(
      rows.map(async ({ id, sessionId }) => ({ id, token: await this.tokens.issue(id, sessionId, TOKEN_SECONDS) })),
    );
  }

  /** Adds a stream that these agents look after. @returns its id. */
  async stream(name: string, agents: readonly SignedIn[]): Promise<string> {
    const { rows } = await this.database.query<{ id: string }>(
      `INSERT INTO streams (name, url) VALUES ($1, 'http://example.test/a.m3u8') RETURNING id`,
      [name],
    );
    const id = rows[0]?.id ?? '';
    await this.database.query('INSERT INTO assignments (agent_id, stream_id) SELECT unnest($1::uuid[]), $2', [
      agents.map((agent) => agent.id),
      id,
    ]);
    return id;
  }

  /** The end of a monitor that says facts. */
  monitor(): (facts: readonly Fact[]) => Promise<void> {
    const publisher = new FactPublisher(this.redis);
    const spoolId = randomUUID();
    let seq = 0;
    return async (facts) => {
      const envelopes = facts.map((fact): FactEnvelope => ({ v: 1, spoolId, seq: (seq += 1), floor: 1, fact }));
      await publisher.append(envelopes.map((envelope) => JSON.stringify(envelope)));
    };
  }

  private async add(): Promise<void> {
    const port = String(await freePort());
    const url = `http://127.0.0.1:${port}`;
    const process = new ManagedProcess({
      name: 'api',
      command: globalThis.process.execPath,
      args: ['--enable-source-maps', join(repositoryRoot, 'dist', 'apps', 'api', 'src', 'main.js')],
      cwd: repositoryRoot,
      env: { ...this.env, MAIN_APP_PORT: port },
      ready: { url: `${url}/api/health/ready` },
    });
    this.all.push({ process, url });
    await process.start();
  }
}
