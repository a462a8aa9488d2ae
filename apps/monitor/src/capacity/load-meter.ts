import { monitorEventLoopDelay } from 'node:perf_hooks';
import { availableParallelism, freemem } from 'node:os';
import type { MonitorLoad } from '#libs/contracts/monitors.js';
import { containerLimits, type ContainerLimits } from './container-limits.js';
import { cpuSecondsOf, machineTime } from './process-time.js';
import { roomOf, usableCores, type Measurement } from './room.js';

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
  /** What the container around this process allows; read of the kernel when unset. */
  limits?: () => Promise<ContainerLimits>;
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
  private limits: ContainerLimits = { cores: null, freeBytes: null };

  constructor(private readonly parts: LoadMeterParts) {}

  /** Resolves when the limits of the container are known: room is never told beyond them. */
  async start(): Promise<void> {
    await this.readLimits();
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
    const { limits, ownCores } = this;
    const measured: Measurement = {
      ...{ streams: this.measuredStreams, ownCores, inference },
      ...usableCores(limits.cores, { cores, busyCores: this.busyPart * cores }, ownCores),
      memoryFreeMb: Math.min(freemem(), limits.freeBytes ?? Infinity) / MB,
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
    const [seconds] = await Promise.all([this.childrensSeconds(), this.readLimits()]);
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

  private async readLimits(): Promise<void> {
    this.limits = await (this.parts.limits ?? containerLimits)();
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

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
