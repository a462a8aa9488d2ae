import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS } from '#libs/contracts/names.js';
import type { ManagedProcess } from '#tools/services/process.js';
import type { Generator, House, Reckoning } from './house.js';

/** How large a run of {@link mixedKills} is. */
interface MixedKills {
  seconds: number;
  /** Findings a second, all generators together. */
  rate: number;
  /** Time between two kills, ms. */
  everyMs: number;
  /** What else is killed in turns, by name: each call kills one. */
  more?: Readonly<Record<string, () => Promise<boolean> | boolean>>;
}

/** One after another is killed by `kill -9`, each in its turn, while findings are made. */
export async function mixedKills(
  house: House,
  { seconds, rate, everyMs, more = {} }: MixedKills,
): Promise<Reckoning & { kills: Record<string, number> }> {
  const streamIds = await house.streams(20);
  const generators = await Promise.all([1, 2].map(() => house.generator({ streamIds, rate: rate / 2, rules: 50 })));
  const victim = (process: ManagedProcess) => (): boolean => house.kill(process);
  const turns: Record<string, () => Promise<boolean> | boolean> = {
    monitor: victim(generators[0]?.process ?? house.api),
    redis: victim(house.redis.process),
    api: victim(house.api),
    postgres: victim(house.postgres.process),
    ...more,
  };
  const kills = Object.fromEntries(Object.keys(turns).map((name) => [name, 0]));
  const endsAt = performance.now() + seconds * 1_000;
  for (let turn = 0; performance.now() + everyMs < endsAt; turn += 1) {
    await sleep(everyMs);
    const [name, kill] = Object.entries(turns)[turn % Object.keys(turns).length] ?? [];
    if (name !== undefined && (await kill?.()) === true) kills[name] = (kills[name] ?? 0) + 1;
  }
  await sleep(Math.max(0, endsAt - performance.now()));
  return { ...(await settle(house, generators)), kills };
}

/** Redis is emptied again and again while no api reads; by FLUSHALL, and by a kill with its files gone, in turns. */
export async function wipedRedis(
  house: House,
  { wipes, each }: { wipes: number; each: number },
): Promise<Reckoning & { wipes: number }> {
  const streamIds = await house.streams(5);
  await house.api.stop();
  const generator = await house.generator({ streamIds, rate: each * 2, most: each * (wipes + 1) });
  for (let wipe = 1; wipe <= wipes; wipe += 1) {
    await generator.until((report) => report.appended >= wipe * each, 60_000);
    if (wipe % 2 === 0) {
      await house.redis.process.stop();
      await rm(join(house.folder, 'redis', 'appendonlydir'), { recursive: true, force: true });
      await house.redis.process.start();
    } else {
      await house.withRedis(async (redis) => {
        // Something must be there to be lost.
        for (let tries = 0; (await redis.xlen(REDIS.facts)) === 0 && tries < 600; tries += 1) await sleep(50);
        await redis.flushall();
      });
    }
  }
  await house.api.start();
  return { ...(await settle(house, [generator])), wipes };
}

/** Redis is away while findings are made, then comes back. */
export async function absentRedis(
  house: House,
  { seconds, rate }: { seconds: number; rate: number },
): Promise<Reckoning & { waited: number; drainPerSecond: number; memoryMbMore: number }> {
  const streamIds = await house.streams(20);
  const generator = await house.generator({ streamIds, rate });
  // What a process needs to be warm is not what waiting costs.
  const before = await generator.until((report) => report.appended > rate, 30_000 + rate);
  await house.redis.process.stop();
  let most = before.rssBytes;
  const endsAt = performance.now() + seconds * 1_000;
  while (performance.now() < endsAt) {
    most = Math.max(most, generator.report?.rssBytes ?? 0);
    await sleep(100);
  }
  generator.stopMaking();
  const { pending } = await generator.until((report) => !report.making, 10_000);
  const backAt = Date.now();
  await house.redis.process.start();
  const reckoning = await settle(house, [generator]);
  const { rssBytes } = await generator.until((report) => report.pending === 0, 1_000);
  return {
    ...reckoning,
    waited: pending,
    drainPerSecond: await house.storedPerSecond(streamIds, backAt),
    memoryMbMore: Math.round((Math.max(most, rssBytes) - before.rssBytes) / 2 ** 20),
  };
}

/** Has everything revived and drained. */
async function settle(house: House, generators: readonly Generator[]): Promise<Reckoning> {
  await house.revived();
  for (const generator of generators) generator.stopMaking();
  for (const generator of generators) await generator.drained(180_000);
  return house.reckon(generators);
}

/** What a spool did that had no room. */
interface FullSpool {
  made: number;
  stored: number;
  shedRecords: number;
  shedFrames: number;
  refused: number;
  /** Findings that are neither stored nor counted as dropped. */
  uncounted: number;
  /** Whether pictures were left out before the first record was. */
  framesWentFirst: boolean;
}

/** More is made than the spool has room for while Redis is away. */
export async function fullSpool(house: House, { findings }: { findings: number }): Promise<FullSpool> {
  const streamIds = await house.streams(5);
  await house.redis.process.stop();
  const rate = Math.max(1_000, findings / 4);
  const order = { streamIds, rate, most: findings, maxBytes: findings * 300, imageBytes: 2_000 };
  const generator = await house.generator(order);
  const first = generator.until((report) => report.shedFrames > 0, 60_000);
  const framesWentFirst = (await first).shedRecords === 0;
  const full = await generator.until(
    (report) => !report.making && report.appended + report.refused === findings,
    60_000,
  );
  await house.redis.process.start();
  await generator.drained(120_000);
  const { stored } = await house.reckon([generator]);
  const { shedRecords, shedFrames, refused } = await generator.until(() => true, 1_000);
  return {
    ...{ made: full.made, stored, shedRecords, shedFrames, refused, framesWentFirst },
    uncounted: full.made - stored - shedRecords - refused,
  };
}
