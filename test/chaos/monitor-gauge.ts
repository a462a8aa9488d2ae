import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { z } from 'zod';

/** What a monitor says of itself under {@link gaugeFlags}, one line of JSON each time. */
export const GaugeReading = z.object({
  gauge: z.literal('monitor'),
  at: z.number(),
  /** After a forced collection, bytes. */
  heapUsed: z.number(),
  external: z.number(),
  rss: z.number(),
  /** Delay of the event loop since the last reading, collections that were forced left out, ms. */
  loopP99Ms: z.number(),
  loopMaxMs: z.number(),
});
export type GaugeReading = z.infer<typeof GaugeReading>;

/** Time between two readings, ms. */
const INTERVAL_MS = 2_000;
/** The delay is looked at so often, and measured with this added to it, ms. */
const RESOLUTION_MS = 10;

/** Flags of Node for a monitor that is gauged from within, by this very file. */
export const gaugeFlags: readonly string[] = ['--expose-gc', '--import', import.meta.url];

const collect = (globalThis as { gc?: () => void }).gc;
// Worker threads take their process's flags with them; their heaps and loops are their own.
if (collect !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const ms = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / 1e5) / 10 - RESOLUTION_MS);
  const timer = setInterval(() => {
    delay.disable();
    const [loopP99Ms, loopMaxMs] = [ms(delay.percentile(99)), ms(delay.max)];
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    const reading = { gauge: 'monitor', at: Date.now(), heapUsed, external, rss, loopP99Ms, loopMaxMs } as const;
    process.stdout.write(`${JSON.stringify(reading satisfies GaugeReading)}\n`);
    delay.reset();
    delay.enable();
  }, INTERVAL_MS);
  timer.unref();
}
