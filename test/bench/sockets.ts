import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { FactPublisher } from '#libs/bus/fact-stream.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import type { FactEnvelope } from '#libs/contracts/facts.js';
import type { TranscriptView } from '#libs/contracts/sockets.js';
import { createLogger } from '#libs/observability/logger.js';
import { startPostgres } from '#tools/services/postgres.js';
import { freePort } from '#tools/services/preflight.js';
import { ProcessGroup } from '#tools/services/process-group.js';
import { ManagedProcess } from '#tools/services/process.js';
import { startRedis } from '#tools/services/redis.js';
import { AccessTokens } from '../../apps/api/src/auth/access-tokens.js';
import { Crowd, until, type Side } from './crowd.js';
import { captionOf } from './crowd-member.js';

/** Captions that are not measured: code that is new to the machine is slow. */
const WARM_UP = 3;
/** Captions while the api is away. */
const WHILE_AWAY = 20;
/** Between two captions while clients come back, ms. */
const MEANWHILE_MS = 500;
const TOKEN_SECONDS = 3_600;

/** How large a run is, and where it runs. */
export interface SocketsRun {
  databaseUrl: string;
  redisUrl: string;
  clients: number;
  /** Captions that are measured. */
  captions: number;
  /** Processes of clients. */
  processes: number;
  /** First pause of a client before it connects again, ms. */
  reconnectMs: number;
}

/** Figures of one server. */
interface ServerFigures {
  connectSeconds: number;
  /** Resident memory of the server's process with all clients connected. */
  rssMb: number;
  /** From the caption being said to a client having it. */
  fanoutP50Ms: number;
  fanoutP99Ms: number;
  /** Captions that reached a client. */
  received: number;
}

/** Figures of one run. */
export interface SocketsFigures extends ServerFigures {
  clients: number;
  captions: number;
  bare: ServerFigures;
  /** Of both servers' 99th percentiles. */
  ratioToBare: number;
  /** After a `kill -9` of the api and its restart. */
  resync: {
    /** Until the last client had everything again. */
    seconds: number;
    /** Of them until the api answered again. */
    restartSeconds: number;
    lines: number;
    missing: number;
    doubled: number;
    overlapping: number;
    replayed: number;
  };
}

/** The bench: servers of its own, thousands of clients. */
export async function benchSockets(
  progress: (text: string) => void,
  { clients }: { clients: number },
): Promise<SocketsFigures> {
  const stateDir = join(repositoryRoot, '.vigil', 'bench-sockets');
  await rm(stateDir, { recursive: true, force: true });
  await mkdir(join(stateDir, 'redis'), { recursive: true });
  const group = new ProcessGroup(progress);
  try {
    const postgres = await group.add('postgres', () =>
      startPostgres({ dir: join(stateDir, 'postgres'), throwaway: true, say: progress }),
    );
    const redis = await group.add('redis', () => startRedis({ dir: join(stateDir, 'redis'), say: progress }));
    const at = { databaseUrl: postgres.url, redisUrl: redis.url };
    return await measureSockets({ ...at, clients, captions: 20, processes: 2, reconnectMs: 1_000 }, progress);
  } finally {
    await group.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/**
 * Connects the same clients to the api and to a bare Socket.IO server, both processes of their own, and has captions
 * said on a stream that all of them look after: as facts, the way a monitor says them, through Redis and Postgres. The
 * bare server sends the same text without any of that. They take turns, so that whatever else the machine does meets
 * both. Then the api is killed while captions go on.
 */
export async function measureSockets(run: SocketsRun, progress: (text: string) => void): Promise<SocketsFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-sockets-'));
  const secret = randomBytes(48).toString('base64url');
  const port = await freePort();
  const api = apiProcess(run, { folder, secret, port });
  const redis = connectRedis(run.redisUrl, 'bench', createLogger('bench', 'silent'));
  const crowd = new Crowd(run.processes);
  const bare = fork(join(repositoryRoot, 'dist', 'test', 'bench', 'bare-socket-server.js'), [], { execArgv: [] });
  try {
    const [{ port: barePort }] = (await once(bare, 'message')) as [{ port: number }];
    await api.start();
    const { streamId, tokens } = await populate(run, secret);
    const speaker = new Speaker(redis, streamId);
    const path = `/api/streams/${streamId}/transcripts`;
    progress(`connecting ${String(run.clients)} clients to each server`);
    const nobody = tokens.map(() => null);
    const bareSeconds = await crowd.connect('bare', `http://127.0.0.1:${String(barePort)}`, nobody, null, 1_000);
    const url = `http://127.0.0.1:${String(port)}`;
    const seconds = await crowd.connect('vigil', url, tokens, path, run.reconnectMs);
    const memory = { vigil: await residentMb(api.pid), bare: await residentMb(bare.pid ?? null) };
    progress(`saying ${String(run.captions)} captions on each`);
    const measured: number[] = [];
    for (let turn = 1; turn <= WARM_UP + run.captions; turn += 1) {
      // Who goes first changes: the second finds warm caches, the first a rested machine.
      for (const side of turn % 2 === 0 ? (['vigil', 'bare'] as const) : (['bare', 'vigil'] as const)) {
        if (side === 'bare') bare.send(speaker.bareCaption(turn));
        else await speaker.say(turn);
        await crowd.allHear(side, turn);
        await wait(100);
      }
      if (turn > WARM_UP) measured.push(turn);
    }
    const figures = async (side: Side, connectSeconds: number): Promise<ServerFigures> => {
      const times = await crowd.times(side, measured);
      return {
        ...{ connectSeconds: round(connectSeconds), rssMb: Math.round(memory[side]) },
        ...{ fanoutP50Ms: quantile(times, 0.5), fanoutP99Ms: quantile(times, 0.99), received: times.length },
      };
    };
    const [mine, bares] = [await figures('vigil', seconds), await figures('bare', bareSeconds)];
    return {
      ...{ clients: run.clients, captions: run.captions, ...mine, bare: bares },
      ratioToBare: round(mine.fanoutP99Ms / bares.fanoutP99Ms),
      resync: await killAndResync(api, crowd, speaker, { clients: run.clients, said: WARM_UP + run.captions }, progress),
    };
  } finally {
    await crowd.stop();
    await ended(bare);
    await api.stop();
    redis.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

async function killAndResync(
  api: ManagedProcess,
  crowd: Crowd,
  speaker: Speaker,
  { clients, said }: { clients: number; said: number },
  progress: (text: string) => void,
): Promise<SocketsFigures['resync']> {
  progress('killing the api');
  let lines = said;
  const speak = (): Promise<void> => speaker.say((lines += 1));
  const killedAt = Date.now();
  api.kill('SIGKILL');
  await api.exited;
  for (let count = 0; count < WHILE_AWAY; count += 1) await speak();
  await api.start();
  const restartSeconds = (Date.now() - killedAt) / 1_000;
  progress(`the api answers again after ${String(round(restartSeconds))} s`);
  let spokenAt = Date.now();
  await until(async () => {
    // Captions go on while clients come back: whoever joined too late or asked too early would miss one.
    if (Date.now() - spokenAt >= MEANWHILE_MS) {
      spokenAt = Date.now();
      await speak();
    }
    return (await crowd.inStep()) === clients;
  }, 'not every client had everything again');
  await speak();
  await until(async () => (await crowd.tally(lines)).missing === 0, '', 10_000).catch(() => undefined);
  const { resyncedAt, ...tally } = await crowd.tally(lines);
  return {
    ...{ seconds: round((resyncedAt - killedAt) / 1_000), restartSeconds: round(restartSeconds), lines, ...tally },
  };
}

/** Says captions as a monitor does. */
class Speaker {
  private readonly publisher: FactPublisher;
  private readonly spoolId = randomUUID();
  private seq = 0;

  constructor(
    redis: RedisConnection,
    private readonly streamId: string,
  ) {
    this.publisher = new FactPublisher(redis);
  }

  async say(line: number): Promise<void> {
    this.seq += 1;
    const now = Date.now();
    const envelope: FactEnvelope = {
      ...{ v: 1, spoolId: this.spoolId, seq: this.seq, floor: 1 },
      fact: {
        ...{ type: 'transcript.written', segmentId: randomUUID(), streamId: this.streamId, session: 1 },
        ...{ text: captionOf(line), language: 'en', engine: 'sherpa', model: 'whisper-tiny', vadMean: 0.9 },
        ...{ filters: [], startedAt: now, endedAt: now + 1_000 },
      },
    };
    await this.publisher.append([JSON.stringify(envelope)]);
  }

  /** The same caption as clients see it. */
  bareCaption(line: number): TranscriptView {
    const now = Date.now();
    return {
      ...{ id: randomUUID(), seq: String(line), streamId: this.streamId, text: captionOf(line), language: 'en' },
      ...{ engine: 'sherpa', model: 'whisper-tiny', startedAt: new Date(now).toISOString() },
      endedAt: new Date(now + 1_000).toISOString(),
    };
  }
}

function apiProcess(
  { databaseUrl, redisUrl }: SocketsRun,
  { folder, secret, port }: { folder: string; secret: string; port: number },
): ManagedProcess {
  return new ManagedProcess({
    name: 'api',
    command: process.execPath,
    args: ['--enable-source-maps', join(repositoryRoot, 'dist', 'apps', 'api', 'src', 'main.js')],
    cwd: repositoryRoot,
    env: childEnvironment({
      ...{ NODE_ENV: 'development', NODE_OPTIONS: undefined, LOG_LEVEL: 'warn' },
      ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, JWT_SECRET: secret, MAIN_APP_PORT: String(port) },
      EVIDENCE_URL: pathToFileURL(join(folder, 'evidence')).href,
    }),
    ready: { url: `http://127.0.0.1:${String(port)}/api/health/ready` },
  });
}

/** Makes a stream and agents who look after it, each signed in: past the api, since ten thousand logins are no part of it. */
async function populate(
  { databaseUrl, clients }: SocketsRun,
  secret: string,
): Promise<{ streamId: string; tokens: string[] }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: streams } = await client.query<{ id: string }>(
      `INSERT INTO streams (name, url) VALUES ('bench', 'http://example.test/a.m3u8') RETURNING id`,
    );
    const streamId = streams[0]?.id ?? '';
    const { rows } = await client.query<{ userId: string; sessionId: string }>(
      `WITH u AS (
         INSERT INTO users (username, email, password_hash, role)
         SELECT 'bench-' || n, 'bench-' || n || '@example.test', '-', 'agent' FROM generate_series(1, $1::int) n
         RETURNING id
       ), a AS (INSERT INTO assignments (agent_id, stream_id) SELECT id, $2 FROM u)
       INSERT INTO auth_sessions (user_id, expires_at) SELECT id, now() + interval '1 day' FROM u
       RETURNING user_id AS "userId", id AS "sessionId"`,
      [clients, streamId],
    );
    await client.query('ANALYZE');
    const tokens = new AccessTokens(secret);
    const issue = ({ userId, sessionId }: (typeof rows)[number]): Promise<string> =>
      tokens.issue(userId, sessionId, TOKEN_SECONDS);
    return { streamId, tokens: await Promise.all(rows.map(issue)) };
  } finally {
    await client.end();
  }
}

async function residentMb(pid: number | null): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The value below which that share lies, by the nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

const round = (value: number): number => Math.round(value * 100) / 100;
