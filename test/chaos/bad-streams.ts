import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VigilClient } from '../../clients/typescript/client.js';
import type { components } from '../../clients/typescript/generated/rest.js';
import { eventually, must } from '../e2e/vigil.js';
import type { BadOrigins, BadStream } from './bad-origins.js';

type Session = components['schemas']['SessionReport'];

/** What the streams are watched by. */
export interface Watchers {
  client: VigilClient;
  monitorPid: () => number | null;
}

/** How long the parts of {@link badStreams} take. */
export interface BadStreamsSize {
  /** How long the neighbours are counted before anything is bad, s. */
  beforeSeconds: number;
  /** How long all is bad at least, s; longer when something is not said of each by then. */
  badSeconds: number;
}

/** What came of one bad stream. */
interface BadOutcome {
  title: string;
  /** What was said of it; `live` when it was watched all the time. */
  said: string;
  /** Whether that may be said. */
  fits: boolean;
  /** From healing to the first picture; of what heals by itself the longest time without a picture, s. */
  recoverySeconds: number;
  /** Tries that failed. */
  restarts: number;
}

/** What came of all. */
export interface BadStreamsOutcome {
  cases: BadOutcome[];
  slowestSeconds: number;
  /** Pictures of the neighbours a second, all together, and the share that was left while all others were bad. */
  neighbours: { before: number; during: number; share: number };
  /** Processor time of ffmpegs that ended while all was bad: for each try that failed, ms, and in cores. */
  cpuMsPerRestart: number;
  cores: number;
  /** Connections to an address that nothing may reach. */
  trespasses: number;
  requests: number;
}

/** Good streams beside each other, watched while others are bad. */
const NEIGHBOURS = 3;
/** Far longer than anything takes: a limit against what never comes, not a bar; ms. */
const PATIENCE_MS = 90_000;
/** How long a stream that turns is looked at, s: longer than any silence is borne. */
const TURN_SECONDS = 25;

/**
 * Watches every bad stream at once beside some good ones, until something typed was said of each; then heals their
 * origins one by one and waits for pictures.
 */
export async function badStreams(
  { client, monitorPid }: Watchers,
  origins: BadOrigins,
  neighbourUrl: string,
  { beforeSeconds, badSeconds }: BadStreamsSize,
): Promise<BadStreamsOutcome> {
  const watch = async (name: string, url: string): Promise<string> => {
    const { id } = must(await client.POST('/api/streams', { body: { name, platform: 'url', url } }));
    must(await client.POST('/api/monitoring/stream/{id}/start', { params: { path: { id } } }));
    return id;
  };
  const statusOf = async (id: string): Promise<{ status: string; reason: string | null; detail: string }> =>
    must(await client.GET('/api/streams/{id}', { params: { path: { id } } })).status;
  const sessions = async (): Promise<Map<string, Session>> => {
    const { items } = must(await client.GET('/api/monitors'));
    return new Map(items.flatMap((monitor) => monitor.sessions).map((session) => [session.streamId, session]));
  };
  const untilLive = (id: string, title: string): Promise<true> =>
    eventually(
      async () => ((await statusOf(id)).status === 'live' ? true : null),
      PATIENCE_MS,
      () => `${title} is not watched`,
    );
  const neighbours = await Promise.all(
    Array.from({ length: NEIGHBOURS }, (_, index) => watch(`neighbour ${index}`, neighbourUrl)),
  );
  /** Pictures of the neighbours, and at which time. */
  const count = async (): Promise<{ frames: number; at: number }> => {
    const { items } = must(await client.GET('/api/monitors'));
    const [monitor] = items;
    const theirs = monitor?.sessions.filter(({ streamId }) => neighbours.includes(streamId)) ?? [];
    return { frames: theirs.reduce((sum, { framesCaptured }) => sum + framesCaptured, 0), at: monitor?.at ?? NaN };
  };
  const rate = (from: { frames: number; at: number }, to: { frames: number; at: number }): number =>
    Math.round(((to.frames - from.frames) / (to.at - from.at)) * 1e5) / 100;

  const later = origins.streams.filter(({ spoil }) => spoil !== null);
  const ids = new Map<BadStream, string>();
  for (const bad of later) ids.set(bad, await watch(bad.title, bad.url));
  await Promise.all([...ids].map(([{ title }, id]) => untilLive(id, title)));
  await Promise.all(neighbours.map((id) => untilLive(id, 'a neighbour')));
  const calm = await count();
  await sleep(beforeSeconds * 1_000);
  const before = rate(calm, await count());

  const [badFrom, cpuFrom] = [await count(), await childrenCpuMs(monitorPid())];
  const turnedAt = Date.now();
  for (const { spoil } of later) spoil?.();
  for (const bad of origins.streams.filter(({ spoil }) => spoil === null))
    ids.set(bad, await watch(bad.title, bad.url));
  const [said, gaps] = await Promise.all([
    Promise.all([...ids].map(async ([bad, id]) => [bad, await whatIsSaidOf(bad, id)] as const)),
    gapsOfTurned(),
    sleep(badSeconds * 1_000),
  ]);
  const badTo = await count();
  const during = rate(badFrom, badTo);
  const [cpuTo, atWorst] = [await childrenCpuMs(monitorPid()), await sessions()];
  const outcomes = await Promise.all(said.map(([bad, words], index) => outcomeOf(bad, words, index)));
  const restarts = outcomes.reduce((sum, outcome) => sum + outcome.restarts, 0);
  return {
    cases: outcomes,
    slowestSeconds: Math.max(...outcomes.map(({ recoverySeconds }) => recoverySeconds)),
    neighbours: { before, during, share: Math.round((during / before) * 1e3) / 1e3 },
    cpuMsPerRestart: Math.round((cpuTo - cpuFrom) / restarts),
    cores: Math.round(((cpuTo - cpuFrom) / (badTo.at - badFrom.at)) * 100) / 100,
    ...{ trespasses: origins.canary.connections, requests: origins.requests },
  };

  async function whatIsSaidOf({ title, reasons }: BadStream, id: string): Promise<string> {
    // What should be watched all the same is looked at by its gaps.
    if (reasons.length === 0) return 'live';
    return eventually(
      async () => {
        const { status, reason, detail } = await statusOf(id);
        const quiet = status === 'live' || reason === null || reason === 'no_monitor';
        return quiet ? null : detail === '' ? 'no detail' : reason;
      },
      PATIENCE_MS,
      () => `nothing is said of ${title}`,
    );
  }

  /** The longest time without a picture of each stream that turns, ms. */
  async function gapsOfTurned(): Promise<Map<string, number>> {
    const turned = later.filter(({ heal }) => heal === null).map((bad) => ids.get(bad) ?? '');
    const last = new Map(turned.map((id) => [id, turnedAt]));
    const longest = new Map(turned.map((id) => [id, 0]));
    for (let end = turnedAt + TURN_SECONDS * 1_000; Date.now() < end; await sleep(500)) {
      const reports = await sessions();
      for (const id of turned) {
        const [from, to] = [last.get(id) ?? turnedAt, reports.get(id)?.lastFrameAt ?? 0];
        longest.set(id, Math.max(longest.get(id) ?? 0, to - from));
        last.set(id, Math.max(from, to));
      }
    }
    // What has not come back by then has no end.
    for (const id of turned) longest.set(id, Math.max(longest.get(id) ?? 0, Date.now() - (last.get(id) ?? 0)));
    return longest;
  }

  async function outcomeOf(bad: BadStream, words: string, index: number): Promise<BadOutcome> {
    const { title, reasons, heal } = bad;
    const id = ids.get(bad) ?? '';
    const fits = reasons.length === 0 ? (await statusOf(id)).status === 'live' : reasons.includes(words);
    const failed = atWorst.get(id)?.restarts ?? 0;
    const outcome = { title, said: words, fits, restarts: failed };
    if (heal === null) return { ...outcome, recoverySeconds: (gaps.get(id) ?? NaN) / 1_000 };
    // At another moment of their waits each.
    await sleep(index * 400);
    heal();
    const healedAt = Date.now();
    const at = await eventually(
      async () => {
        const lastFrameAt = (await sessions()).get(id)?.lastFrameAt ?? 0;
        return lastFrameAt > healedAt && (await statusOf(id)).status === 'live' ? lastFrameAt : null;
      },
      PATIENCE_MS,
      () => `${title} is not watched again`,
    );
    return { ...outcome, recoverySeconds: (at - healedAt) / 1_000 };
  }
}

/** Processor time of the children that have ended and been waited for, ms. */
async function childrenCpuMs(pid: number | null): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  // cutime and cstime are the 16th and 17th field, of which two stand before; in hundredths of a second on Linux.
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
