import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { HlsOrigin, type PreparedSegment } from '#libs/testing/hls-origin.js';
import type { VigilClient } from '../../clients/typescript/client.js';
import { eventually, must } from '../e2e/vigil.js';

/** Span over which starts are counted wherever it is laid, ms. */
const WINDOW_MS = 10_000;
/** Time between two requests of which the api's latency is measured, ms. */
const REQUEST_PAUSE_MS = 20;
/** Far longer than anything takes: a limit against what never comes, not a bar; ms. */
const PATIENCE_MS = 120_000;
const PATH = '/live';

/** Starts of streams at an origin that is down. */
export interface StartPace {
  starts: number;
  perSecond: number;
  /** Most starts within any ten seconds. */
  mostInTenSeconds: number;
  /** Time from one start to the next: the least, the middle and the longest, ms. */
  pausesMs: [number, number, number];
  /** Standard deviation of the pauses over their mean: 0 where all are the same. */
  spread: number;
}

/** How starts are spread over time. @param times of the starts, ms, ascending @param seconds how long was counted */
export function paceOf(times: readonly number[], seconds: number): StartPace {
  const pauses = times.slice(1).map((at, index) => at - (times[index] ?? at));
  const sorted = [...pauses].sort((a, b) => a - b);
  const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length;
  const variance = pauses.reduce((sum, pause) => sum + (pause - mean) ** 2, 0) / pauses.length;
  const within = (from: number): number => times.filter((at) => at >= from && at < from + WINDOW_MS).length;
  return {
    starts: times.length,
    perSecond: round(times.length / seconds),
    mostInTenSeconds: Math.max(0, ...times.map(within)),
    pausesMs: [sorted[0] ?? NaN, sorted[Math.floor(sorted.length / 2)] ?? NaN, sorted.at(-1) ?? NaN],
    spread: round(Math.sqrt(variance) / mean),
  };
}

/** Adds streams of one address and has them watched. @returns their ids */
export async function watchAll(client: VigilClient, url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const body = { name: `camera ${index + 1}`, platform: 'url', url: `${url}?camera=${index + 1}` };
    const { id } = must(await client.POST('/api/streams', { body }));
    must(await client.POST('/api/monitoring/stream/{id}/start', { params: { path: { id } } }));
    ids.push(id);
  }
  return ids;
}

/** Has an origin answer 503 to all. @returns when streams were resolved, epoch ms: what ffmpeg asks for is none */
export function unavailable(origin: HlsOrigin): number[] {
  const starts: number[] = [];
  origin.on(`${PATH}.m3u8`, ({ headers }, response) => {
    if (!/^Lavf/.test(headers['user-agent'] ?? '')) starts.push(Date.now());
    response.writeHead(503).end();
  });
  return starts;
}

/** What {@link originDown} measured. */
export interface OriginDown {
  streams: number;
  unavailable: StartPace;
  refused: StartPace;
  /** From the origin's healing until every stream is watched, after 503 and after refused connections, s. */
  allBackSeconds: [number, number];
  /** Quantiles of a list request's time, ms; of the time before, with 503, with refused connections. */
  api: { p50Ms: number[]; p95Ms: number[]; requests: number[] };
  /** p95 while it is down over p95 before, the larger of both. */
  p95Ratio: number;
}

/** Many streams of one origin are watched; it answers 503, heals, refuses connections, and heals. */
export async function originDown(
  { client, logFile }: { client: VigilClient; logFile: string },
  { origin: first, segments }: { origin: HlsOrigin; segments: readonly PreparedSegment[] },
  { streams, seconds }: { streams: number; seconds: number },
): Promise<OriginDown> {
  const ids = await watchAll(client, first.live(PATH, segments), streams);
  const allLive = async (): Promise<number> => {
    const from = Date.now();
    await eventually(
      async () => {
        const { items } = must(await client.GET('/api/streams', { params: { query: { limit: 200 } } }));
        return ids.every((id) => items.some((it) => it.id === id && it.status.status === 'live')) ? true : null;
      },
      PATIENCE_MS,
      () => 'not every stream is watched',
    );
    return round((Date.now() - from) / 1_000);
  };
  const latencies: number[][] = [];
  await allLive();
  await sleep(5_000);
  latencies.push(await listFor(client, seconds));

  const [starts, from503] = [unavailable(first), Date.now()];
  latencies.push(await listFor(client, seconds));
  const paceOf503 = paceOf([...starts], (Date.now() - from503) / 1_000);
  first.live(PATH, segments);
  const backAfter503 = await allLive();

  const { port } = new URL(first.url('/'));
  await sleep(5_000);
  const fromRefused = Date.now();
  await first.stop();
  latencies.push(await listFor(client, seconds));
  const refused = paceOf(await failuresSince(logFile, fromRefused), (Date.now() - fromRefused) / 1_000);
  const again = await HlsOrigin.start('127.0.0.1', Number(port));
  try {
    again.live(PATH, segments);
    const allBackSeconds: [number, number] = [backAfter503, await allLive()];
    const quantiles = (share: number): number[] => latencies.map((times) => round(quantile(times, share)));
    const [before = NaN, ...down] = quantiles(0.95);
    return {
      ...{ streams, unavailable: paceOf503, refused, allBackSeconds },
      api: { p50Ms: quantiles(0.5), p95Ms: quantiles(0.95), requests: latencies.map(({ length }) => length) },
      p95Ratio: round(Math.max(...down) / before),
    };
  } finally {
    await again.stop();
  }
}

const LogLine = z.object({ time: z.iso.datetime(), msg: z.literal('capture ended'), streamId: z.string() });

/** When tries failed, epoch ms, by the monitor's log: it tells each. The end of what had played before is none. */
async function failuresSince(logFile: string, since: number): Promise<number[]> {
  const ended = new Set<string>();
  return (await readFile(logFile, 'utf8')).split('\n').flatMap((line) => {
    if (!line.includes('capture ended')) return [];
    const said = LogLine.parse(JSON.parse(line.slice(line.indexOf('{'))));
    const [time, streamId] = [Date.parse(said.time), said.streamId];
    if (time < since) return [];
    if (ended.has(streamId)) return [time];
    ended.add(streamId);
    return [];
  });
}

/** Lists streams again and again. @returns how long each request took, ms */
async function listFor(client: VigilClient, seconds: number): Promise<number[]> {
  const times: number[] = [];
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await sleep(REQUEST_PAUSE_MS)) {
    const from = performance.now();
    must(await client.GET('/api/streams', { params: { query: { limit: 50 } } }));
    times.push(performance.now() - from);
  }
  return times;
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;
}

const round = (value: number): number => Math.round(value * 100) / 100;
