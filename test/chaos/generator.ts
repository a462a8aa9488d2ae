import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FactPublisher } from '#libs/bus/fact-stream.js';
import { HintSubscriber } from '#libs/bus/channels.js';
import { connectRedis } from '#libs/bus/redis.js';
import { WatermarkBoard } from '#libs/bus/watermarks.js';
import { createLogger } from '#libs/observability/logger.js';
import { Shipper } from '../../apps/monitor/src/outbox/shipper.js';
import { Spool } from '../../apps/monitor/src/outbox/spool.js';
import { madeDetection } from './made-detection.js';
import { GeneratorOrder, type GeneratorReport } from './generator-order.js';

/** How often findings are made, and how often the generator reports, ms. */
const [TICK_MS, REPORT_MS] = [10, 250];

/**
 * A monitor's way out without its senses: makes findings at a steady rate and keeps and ships them as a monitor does,
 * with the same spool and shipper. What the spool took is written to a ledger, in one line each: event id and time.
 * SIGUSR2 ends the making while shipping goes on; SIGTERM ends all.
 */
async function main(): Promise<void> {
  const order = GeneratorOrder.parse(JSON.parse(process.argv[2] ?? ''));
  const logger = createLogger('generator', 'silent');
  const spool = await Spool.open({ directory: order.spoolDir, maxBytes: order.maxBytes });
  const redis = connectRedis(order.redisUrl, 'generator', logger);
  const hints = new HintSubscriber(connectRedis(order.redisUrl, 'generator-hints', logger), logger);
  const links = { publisher: new FactPublisher(redis), watermarks: new WatermarkBoard(redis), hints };
  const shipper = new Shipper(spool, links, logger);
  shipper.start();
  let making = order.rate > 0;
  let ending = false;
  let made = 0;
  process.on('SIGUSR2', () => (making = false));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => (ending = true));

  let taken: string[] = [];
  const make = (): void => {
    const image = order.imageBytes > 0 && !spool.pressure().shedFrames ? order.imageBytes : 0;
    if (order.imageBytes > 0 && image === 0) spool.frameShed();
    const fact = madeDetection(order.streamIds, order.rules, image > 0);
    const at = Date.now();
    made += 1;
    spool.append(fact, image).then(
      () => taken.push(`${fact.eventId} ${String(at)}\n`),
      // The spool counts what it did not take.
      () => undefined,
    );
  };
  const report = (): void => {
    const figures = { made, making, rssBytes: process.memoryUsage().rss, ...shipper.stats };
    process.stdout.write(`${JSON.stringify(figures satisfies GeneratorReport)}\n`);
  };

  const startedAt = performance.now();
  let reportedAt = 0;
  let before = 0;
  while (!ending) {
    const now = performance.now();
    if (making) {
      // A pause of this process is made up for, as a burst would come out of a real one; a long one is not.
      const due = Math.min(Math.floor(((now - startedAt) * order.rate) / 1_000), before + order.rate);
      for (; before < due && (order.most === 0 || made < order.most); before += 1) make();
      if (order.most > 0 && made >= order.most) making = false;
    }
    if (taken.length > 0) {
      appendFileSync(order.ledger, taken.join(''));
      taken = [];
    }
    if (now - reportedAt >= REPORT_MS) {
      report();
      reportedAt = now;
    }
    await sleep(TICK_MS);
  }
  await shipper.stop();
  await spool.close();
  process.exit(0);
}

await main();
