import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { repositoryRoot } from '#libs/config/environment.js';
import type { TranscriptView } from '#libs/contracts/sockets.js';
import { startPostgres } from '#tools/services/postgres.js';
import { ProcessGroup } from '#tools/services/process-group.js';
import type { ManagedProcess } from '#tools/services/process.js';
import { startRedis } from '#tools/services/redis.js';
import { ApiProcesses, type ApiProcess } from '../chaos/api-processes.js';
import { Crowd, until, type Side } from './crowd.js';
import { captionOf } from './crowd-member.js';

/** Captions that are not measured: code that is new to the machine is slow. */
const WARM_UP = 3;
/** Captions while the api is away. */
const WHILE_AWAY = 20;
/** Between two captions while clients come back, ms. */
const MEANWHILE_MS = 2_000;
/** Between two looks at how many clients have everything, ms. */
const LOOK_MS = 250;

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
  const apis = await ApiProcesses.start(1, run);
  const crowd = new Crowd(run.processes);
  const bare = fork(join(repositoryRoot, 'dist', 'test', 'bench', 'bare-socket-server.js'), [], { execArgv: [] });
  try {
    const [{ port: barePort }] = (await once(bare, 'message')) as [{ port: number }];
    const [api] = apis.all as [ApiProcess];
    const names = Array.from({ length: run.clients }, (_, index) => `bench-${String(index)}`);
    const agents = await apis.signIn(names, 'agent');
    const streamId = await apis.stream('bench', agents);
    await apis.database.query('ANALYZE');
    const tokens = agents.map(({ token }) => token);
    const speaker = new Speaker(apis.monitor(), streamId);
    const path = `/api/streams/${streamId}/transcripts`;
    progress(`connecting ${String(run.clients)} clients to each server`);
    const nobody = tokens.map(() => null);
    const bareSeconds = await crowd.connect('bare', `http://127.0.0.1:${String(barePort)}`, nobody, null, 1_000);
    const seconds = await crowd.connect('vigil', api.url, tokens, path, run.reconnectMs);
    const memory = { vigil: await residentMb(api.process.pid), bare: await residentMb(bare.pid ?? null) };
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
      resync: await killAndResync(
        api.process,
        crowd,
        speaker,
        { clients: run.clients, said: WARM_UP + run.captions },
        progress,
      ),
    };
  } finally {
    await crowd.stop();
    await ended(bare);
    await apis.stop();
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
  let inStep = 0;
  const lost = (): string => `${String(inStep)} of ${String(clients)} clients had everything again`;
  await until(
    async () => {
      // Captions go on while clients come back: whoever joined too late or asked too early would miss one.
      if (Date.now() - spokenAt >= MEANWHILE_MS) {
        spokenAt = Date.now();
        await speak();
      }
      inStep = await crowd.inStep();
      return inStep === clients;
    },
    lost,
    { everyMs: LOOK_MS },
  );
  await speak();
  // Time for the last to arrive; what is missing then is missing for good, and the figures say so.
  const complete = async (): Promise<boolean> => (await crowd.tally(lines)).missing === 0;
  await until(complete, () => '', { everyMs: 2 * LOOK_MS, patienceMs: 10_000 }).catch(() => undefined);
  const { resyncedAt, ...tally } = await crowd.tally(lines);
  return {
    ...{ seconds: round((resyncedAt - killedAt) / 1_000), restartSeconds: round(restartSeconds), lines, ...tally },
  };
}

/** Says captions as a monitor does. */
class Speaker {
  constructor(
    private readonly publish: ReturnType<ApiProcesses['monitor']>,
    private readonly streamId: string,
  ) {}

  async say(line: number): Promise<void> {
    const now = Date.now();
    await this.publish([
      {
        ...{ type: 'transcript.written', segmentId: randomUUID(), streamId: this.streamId, session: 1 },
        ...{ text: captionOf(line), language: 'en', engine: 'sherpa', model: 'whisper-tiny', vadMean: 0.9 },
        ...{ filters: [], startedAt: now, endedAt: now + 1_000 },
      },
    ]);
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
