import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../e2e/vigil.js';
import { Fleet } from './fleet.js';
import type { House } from './house.js';
import { gaugeFlags, GaugeReading } from './monitor-gauge.js';

/** The pace that is pressed together: each stream is restarted this often, s. */
const TRUE_RESTART_SECONDS = 20;
/** Part of the run that warms up and is left out. */
const WARM_UP = 0.25;
/** Time between two looks at what may be restarted, ms. */
const LOOK_MS = 500;
const MB = 2 ** 20;

/** A slope of a straight line by least squares, and its standard error. */
interface Slope {
  slope: number;
  error: number;
}

/** What a long time of restarts left behind. */
interface Endurance {
  streams: number;
  restarts: number;
  seconds: number;
  /** Time that so many restarts would take at one for each stream in 20 s, s. */
  compressedSeconds: number;
  /** Growth of the heap after forced collections, MB. */
  heapPerHour: Slope;
  heapPer1000Restarts: Slope;
  rssPer1000Restarts: Slope;
  heapMb: number;
  rssMb: number;
  /** Medians of the first and of the last third of what was not warm-up. */
  descriptors: [number, number];
  children: [number, number];
  /** The event loop's delay: worst and median of the readings' p99, and the longest of all, ms. */
  loopP99Ms: number;
  loopP99MedianMs: number;
  loopMaxMs: number;
}

/** One look at the monitor. */
interface Sample extends GaugeReading {
  restarts: number;
  descriptors: number;
  children: number;
}

/** Restarts the streams of one monitor in turns, and weighs the monitor meanwhile. */
export async function endurance(
  house: House,
  plan: { streams: number; seconds: number; restartSeconds: number; say: (text: string) => void },
): Promise<Endurance> {
  const { streams, seconds, restartSeconds, say } = plan;
  const samples: Sample[] = [];
  let restarts = 0;
  let isMeasured = false;
  let monitorPid = 0;
  const onLine = (line: string): string | null => {
    if (!line.startsWith('{"gauge"')) return line;
    const reading = GaugeReading.parse(JSON.parse(line));
    if (isMeasured) void weigh(monitorPid).then((weight) => samples.push({ ...reading, ...weight, restarts }));
    return null;
  };
  const fleet = await Fleet.open(house, { monitors: 1, streams, flags: gaugeFlags, onLine });
  monitorPid = fleet.monitors[0]?.pid ?? 0;
  say(`${String(streams)} streams are watched after ${String(fleet.seconds)} s`);
  isMeasured = true;
  const startedAt = performance.now();
  const passed = (): number => (performance.now() - startedAt) / 1_000;
  // The session that each stream had when it was restarted: a life that has not begun is not ended.
  const ended = new Map<string, number>();
  while (passed() < seconds) {
    const due = Math.floor((passed() * streams) / restartSeconds) - restarts;
    const live = [...(await fleet.live())].filter(([id, { session }]) => session > (ended.get(id) ?? 0));
    const chosen = live.sort(([, a], [, b]) => a.at - b.at).slice(0, Math.max(0, due));
    if (chosen.length > 0) {
      const streamIds = chosen.map(([id]) => id);
      must(await (await fleet.admin()).POST('/api/monitoring/restart', { body: { streamIds } }));
      for (const [id, { session }] of chosen) ended.set(id, session);
      restarts += chosen.length;
    }
    await sleep(LOOK_MS);
  }
  isMeasured = false;
  const took = passed();
  // Nothing was given up under way.
  await fleet.allLive(60_000, ended);

  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  const third = Math.ceil(settled.length / 3);
  const [early, late] = [settled.slice(0, third), settled.slice(-third)];
  const middles = (of: 'descriptors' | 'children'): [number, number] => [median(early, of), median(late, of)];
  const per1000 = (of: 'heapUsed' | 'rss'): Slope =>
    slopeOf(settled.map((sample) => [sample.restarts / 1_000, sample[of] / MB]));
  const heapPer1000Restarts = per1000('heapUsed');
  const thousandsPerHour = (streams * 3_600) / TRUE_RESTART_SECONDS / 1_000;
  return {
    ...{ streams, restarts, seconds: Math.round(took) },
    compressedSeconds: Math.round((restarts * TRUE_RESTART_SECONDS) / streams),
    heapPerHour: {
      slope: rounded(heapPer1000Restarts.slope * thousandsPerHour),
      error: rounded(heapPer1000Restarts.error * thousandsPerHour),
    },
    heapPer1000Restarts: { slope: rounded(heapPer1000Restarts.slope), error: rounded(heapPer1000Restarts.error) },
    rssPer1000Restarts: roundedSlope(per1000('rss')),
    heapMb: rounded(median(late, 'heapUsed') / MB),
    rssMb: rounded(median(late, 'rss') / MB),
    descriptors: middles('descriptors'),
    children: middles('children'),
    loopP99Ms: Math.max(...settled.map(({ loopP99Ms }) => loopP99Ms)),
    loopP99MedianMs: median(settled, 'loopP99Ms'),
    loopMaxMs: Math.max(...settled.map(({ loopMaxMs }) => loopMaxMs)),
  };
}

/** Descriptors of a process, and its ffmpegs. */
async function weigh(pid: number): Promise<{ descriptors: number; children: number }> {
  const descriptors = (await readdir(`/proc/${String(pid)}/fd`).catch(() => [])).length;
  const tasks = await readdir(`/proc/${String(pid)}/task`).catch(() => []);
  const children = await Promise.all(
    tasks.map((task) => readFile(`/proc/${String(pid)}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return {
    descriptors,
    children: children
      .join(' ')
      .split(/\s+/)
      .filter((child) => child !== '').length,
  };
}

function median(samples: readonly Sample[], of: Exclude<keyof Sample, 'gauge'>): number {
  const sorted = samples.map((sample) => sample[of]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Least squares; the error as in any textbook: s / sqrt(Sxx), s² = residuals² / (n − 2). */
function slopeOf(points: readonly (readonly [number, number])[]): Slope {
  const mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const rest = points.reduce((sum, point) => sum + (point[1] - y - slope * (point[0] - x)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
const roundedSlope = ({ slope, error }: Slope): Slope => ({ slope: rounded(slope), error: rounded(error) });
