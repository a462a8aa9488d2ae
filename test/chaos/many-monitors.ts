import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../e2e/vigil.js';
import { Fleet } from './fleet.js';
import type { House } from './house.js';
import { StatusTail } from './status-tail.js';

/** Durations, ms. */
interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

/** What many monitors did when some of them, and when all of everything, was ended. */
interface ManyMonitors {
  streams: number;
  /** From the last start to the last stream that is watched, s. */
  startSeconds: number;
  /** `kill -9` of one: from then until another one has begun a session, and until that one has seen a picture. */
  killed: { streams: number; ownedMs: Quantiles; watchedMs: Quantiles };
  /**
   * SIGTERM of one: from the end of its session to the first picture of the next, negative when both watch; and events
   * that the next one opened for what stood in the picture all the time.
   */
  stopped: { streams: number; gapMs: Quantiles; reportedAgain: number };
  /** `kill -9` of everything at once: from then until each stream is watched. */
  everything: { streams: number; watchedMs: Quantiles };
}

/** Ends one of three monitors by accident, another one in order, and then everything; all are started again. */
export async function manyMonitors(
  house: House,
  { streams, say }: { streams: number; say: (text: string) => void },
): Promise<ManyMonitors> {
  const tail = new StatusTail(house.redis.url);
  house.own(() => tail.stop());
  const fleet = await Fleet.open(house, { monitors: 3, streams });
  const { streamIds, monitors } = fleet;
  const [first, second] = monitors;
  if (first === undefined || second === undefined) throw new Error('There are three monitors.');
  const owner = (id: string): string => tail.newest(id)?.monitorId ?? '';
  const ownedBy = (monitorId: string): string[] => streamIds.filter((id) => owner(id) === monitorId);
  const sessions = async (): Promise<Map<string, number>> =>
    new Map([...(await fleet.live())].map(([id, { session }]) => [id, session]));
  const shares = (): string => ['m1', 'm2', 'm3'].map((id) => ownedBy(id).length).join(', ');
  const begunAt = (id: string, after: number): number => {
    const later = tail.heard.filter((fact) => fact.streamId === id && fact.session > after);
    return Math.min(...later.map(({ at }) => at));
  };
  await evenly(() => ['m1', 'm2', 'm3'].map((id) => ownedBy(id).length));
  say(`all ${String(streams)} are watched after ${String(fleet.seconds)} s: ${shares()}`);

  let before = await sessions();
  const orphans = ownedBy('m1');
  const killedAt = Date.now();
  first.kill('SIGKILL');
  await first.exited;
  const waiting = new Map(orphans.map((id) => [id, before.get(id) ?? 0]));
  const again = await fleet.allLive(90_000, waiting);
  const killed = {
    streams: orphans.length,
    ownedMs: quantiles(
      orphans.map((id) => Math.min(begunAt(id, before.get(id) ?? 0), again.get(id) ?? NaN) - killedAt),
    ),
    watchedMs: quantiles(orphans.map((id) => (again.get(id) ?? NaN) - killedAt)),
  };
  say(`kill -9: ${JSON.stringify(killed)}; ${shares()}`);

  await first.start();
  // Nobody is given anything before it has been there for a moment.
  await sleep(6_000);
  before = await sessions();
  const leaving = ownedBy('m2');
  const from = tail.heard.length;
  await second.stop();
  const taken = await fleet.allLive(90_000, new Map(leaving.map((id) => [id, before.get(id) ?? 0])));
  const ends = tail.heard.slice(from).filter(({ status, reason }) => status === 'pending' && reason === 'restarting');
  // The api takes facts away as it stores them: what was not heard on its way stands in the ledger.
  const told = await house.query<{ id: string; session: string; at: number }>(
    `SELECT stream_id AS id, session, (extract(epoch FROM max(ended_at)) * 1000)::float8 AS at FROM coverage_spans
     WHERE part = 'video' AND stream_id = ANY($1) GROUP BY 1, 2`,
    [leaving],
  );
  const gaps = leaving.map((id) => {
    const heard = ends.find((fact) => fact.streamId === id && fact.monitorId === 'm2');
    const stored = told.find((row) => row.id === id && Number(row.session) === before.get(id));
    return (taken.get(id) ?? NaN) - (heard?.at ?? stored?.at ?? NaN);
  });
  // Time for the new sessions to be sure of what they see.
  await sleep(5_000);
  const found = await house.query<{ id: string; session: string }>(
    `SELECT stream_id AS id, session FROM detections WHERE kind = 'video' AND stream_id = ANY($1)`,
    [leaving],
  );
  const reportedAgain = found.filter(({ id, session }) => Number(session) > (before.get(id) ?? 0)).length;
  const stopped = { streams: leaving.length, gapMs: quantiles(gaps), reportedAgain };
  say(`SIGTERM: ${JSON.stringify(stopped)}; ${shares()}`);

  await second.start();
  await sleep(6_000);
  before = await sessions();
  const allKilledAt = Date.now();
  for (const victim of [house.postgres.process, house.redis.process, house.api, ...monitors]) house.kill(victim);
  const back = await fleet.allLive(120_000, before);
  const everything = {
    streams: back.size,
    watchedMs: quantiles([...back.values()].map((at) => at - allKilledAt)),
  };
  await house.revived();
  say(`everything: ${JSON.stringify(everything)}; ${shares()}`);
  return { streams, startSeconds: fleet.seconds, killed, stopped, everything };
}

/** Waits until no monitor has less than half of its share, or for half a minute: evenness is not what is shown here. */
async function evenly(shares: () => number[]): Promise<void> {
  const isEven = (counts: number[]): boolean =>
    Math.min(...counts) * 6 >= counts.reduce((sum, count) => sum + count, 0);
  await eventually(
    () => Promise.resolve(isEven(shares()) ? true : null),
    30_000,
    () => '',
  ).catch(() => undefined);
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.map(Math.round).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
