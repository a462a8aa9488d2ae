import { monitorEventLoopDelay } from 'node:perf_hooks';
import { availableParallelism, freemem } from 'node:os';
import type { MonitorLoad } from '#libs/contracts/monitors.js';
import { cpuSecondsOf, machineTime } from './process-time.js';
import { roomOf, type Measurement } from './room.js';

/** Time between two measurements, ms. */
const INTERVAL_MS = 1_000;
/** How much one measurement counts in the running mean. */
const FRESH = 0.3;
/** The delay is looked at so often, and told with this added to it, ms. */
const RESOLUTION_MS = 10;
/** Time over which the delay of the event loop is told, ms. */
const DELAY_WINDOW_MS = 10_000;
const MB = 2 ** 20;

/** What the meter looks at. */
export interface LoadMeterParts {
  /** Streams that are watched now, and the process ids of their ffmpegs. */
  streams: () => number;
  children: () => readonly number[];
  /** What the models manage, what is granted of it, and frames that wait; null without a model. */
  inference: () => MonitorLoad['inference'];
  /** CAPTURE_CAPACITY */
  most: number;
}

/** Measures how busy the machine and this monitor are, and says how much more it has room for. */
export class LoadMeter {
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private timer: NodeJS.Timeout | null = null;
  private machine = machineTime();
  private own = process.cpuUsage();
  private childSeconds = new Map<number, number>();
  private at = performance.now();
  private busyPart = 0;
  private ownCores = 0;
  private delayP99Ms = 0;
  private delayAt = performance.now();
  /** Streams at the last measurement: what was taken since is not in its figures yet. */
  private measuredStreams = 0;

  constructor(private readonly parts: LoadMeterParts) {}

  start(): void {
    this.delay.enable();
    this.timer = setInterval(() => void this.measure(), INTERVAL_MS);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.delay.disable();
    return Promise.resolve();
  }

  /** The load of this moment. */
  report(): MonitorLoad {
    const { rss, heapUsed } = process.memoryUsage();
    const inference = this.parts.inference();
    const taken = Math.max(0, this.parts.streams() - this.measuredStreams);
    const cores = availableParallelism();
    const measured: Measurement = {
      ...{ streams: this.measuredStreams, cores, busyCores: this.busyPart * cores, ownCores: this.ownCores },
      ...{ memoryFreeMb: memoryFree() / MB, inference },
    };
    const { room, limitedBy, detail } = roomOf(measured, this.parts.most);
    return {
      ...{
        cpu: rounded(this.busyPart),
        ownCores: rounded(this.ownCores),
        memoryFreeMb: Math.floor(measured.memoryFreeMb),
      },
      ...{ rssMb: rounded(rss / MB), heapMb: rounded(heapUsed / MB), eventLoopP99Ms: rounded(this.delayP99Ms) },
      ...{ inference, room: Math.max(0, room - taken), limitedBy, detail },
    };
  }

  private async measure(): Promise<void> {
    const seconds = await this.childrensSeconds();
    const now = performance.now();
    const elapsed = (now - this.at) / 1_000;
    const machine = machineTime();
    const own = process.cpuUsage();
    const busy = machine.busy - this.machine.busy;
    const idle = machine.idle - this.machine.idle;
    if (busy + idle > 0) this.busyPart += FRESH * (busy / (busy + idle) - this.busyPart);
    const ownSeconds = (own.user - this.own.user + own.system - this.own.system) / 1e6 + seconds;
    this.ownCores += FRESH * (ownSeconds / Math.max(elapsed, 0.001) - this.ownCores);
    Object.assign(this, { at: now, machine, own, measuredStreams: this.parts.streams() });
    if (now - this.delayAt >= DELAY_WINDOW_MS || this.delayP99Ms === 0) {
      this.delayP99Ms = Math.max(0, this.delay.percentile(99) / 1e6 - RESOLUTION_MS);
      this.delay.reset();
      this.delayAt = now;
    }
  }

  /** CPU seconds of the children since the last measurement. */
  private async childrensSeconds(): Promise<number> {
    const seconds = new Map<number, number>();
    let used = 0;
    for (const pid of this.parts.children()) {
      const total = await cpuSecondsOf(pid);
      if (total === null) continue;
      seconds.set(pid, total);
      used += Math.max(0, total - (this.childSeconds.get(pid) ?? 0));
    }
    this.childSeconds = seconds;
    return used;
  }
}

/** Bytes that this process may still have: what its container allows, where it runs in one. */
function memoryFree(): number {
  return typeof process.availableMemory === 'function' ? process.availableMemory() : freemem();
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
