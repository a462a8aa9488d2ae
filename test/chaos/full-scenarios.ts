import { loadSettings } from '#libs/config/environment.js';
import { integer, setting } from '#libs/config/settings.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { ClipDirectory } from '../../apps/monitor/src/capture/clips.fixture.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';
import { BadOrigins } from './bad-origins.js';
import { badStreams } from './bad-streams.js';
import { endurance } from './endurance.js';
import { House } from './house.js';
import { manyMonitors } from './many-monitors.js';
import { originDown } from './origin-down.js';
import { absentRedis, fullSpool, mixedKills, wipedRedis } from './scenarios.js';
import { adminOf, monitorIn, monitorLogIn, watched } from './watched.js';

const { ENDURANCE_SECONDS, ENDURANCE_STREAMS, ENDURANCE_RESTART_SECONDS } = loadSettings({
  ENDURANCE_SECONDS: setting(integer(60, 86_400).default(900), 'How long the endurance scenario restarts streams.'),
  ENDURANCE_STREAMS: setting(integer(1, 500).default(50), 'Streams that it watches and restarts.'),
  ENDURANCE_RESTART_SECONDS: setting(
    integer(1, 3_600).default(10),
    'It restarts each stream this often; at 20 nothing is pressed together.',
  ),
});

/** What came of a scenario, and whether it met its bar. */
type Outcome = object & { holds: boolean };

/** Runs a scenario in a house of its own. */
async function inHouse<Figures extends object>(
  run: (house: House) => Promise<Figures>,
  holds: (figures: Figures) => boolean,
): Promise<Outcome> {
  const house = await House.open();
  try {
    const figures = await run(house);
    return { ...figures, holds: holds(figures) };
  } finally {
    await house.close();
  }
}

const nothingLost = ({ lost, doubled }: { lost: number; doubled: number }): boolean => lost === 0 && doubled === 0;

/** Every scenario at the size of its bar. */
export const FULL_SCENARIOS: Readonly<Record<string, (say: (text: string) => void) => Promise<Outcome>>> = {
  'mixed-kills': (say) =>
    inHouse(
      async (house) => {
        const real = await watched(house);
        say('a real monitor watches a real stream; five minutes of kills');
        const more = { ffmpeg: real.killFfmpeg, 'real monitor': (): boolean => house.kill(real.monitor) };
        const outcome = await mixedKills(house, { seconds: 300, rate: 1_000, everyMs: 5_000, more });
        return { ...outcome, watchedAgain: await real.isLive() };
      },
      (figures) => nothingLost(figures) && figures.p99Ms <= 5_000 && figures.watchedAgain,
    ),
  'many-monitors': (say) =>
    inHouse(
      (house) => manyMonitors(house, { streams: 60, say }),
      ({ killed, stopped, everything }) =>
        killed.ownedMs.p99 <= 20_000 &&
        stopped.gapMs.max <= 3_000 &&
        stopped.reportedAgain <= stopped.streams / 10 &&
        everything.watchedMs.max <= 30_000,
    ),
  endurance: (say) =>
    inHouse(
      (house) =>
        endurance(house, {
          ...{ streams: ENDURANCE_STREAMS, seconds: ENDURANCE_SECONDS, restartSeconds: ENDURANCE_RESTART_SECONDS, say },
        }),
      ({ heapPerHour, descriptors, children, loopP99MedianMs, streams }) =>
        heapPerHour.slope < 1 &&
        descriptors[1] <= descriptors[0] * 1.05 &&
        children[1] <= streams + 5 &&
        loopP99MedianMs < 50,
    ),
  'wiped-redis': () => inHouse((house) => wipedRedis(house, { wipes: 10, each: 1_000 }), nothingLost),
  'absent-redis': () =>
    inHouse(
      (house) => absentRedis(house, { seconds: 600, rate: 200 }),
      (figures) => nothingLost(figures) && figures.drainPerSecond >= 5_000 && figures.memoryMbMore <= 50,
    ),
  'full-spool': () =>
    inHouse(
      (house) => fullSpool(house, { findings: 100_000 }),
      ({ uncounted, framesWentFirst }) => uncounted === 0 && framesWentFirst,
    ),
  'bad-streams': () =>
    inHouse(
      async (house) => {
        const origins = await BadOrigins.open();
        house.own(() => origins.close());
        const neighbour = await origins.neighbour();
        const monitor = await monitorIn(house, origins.hosts);
        const watchers = { client: await adminOf(house), monitorPid: () => monitor.pid };
        return badStreams(watchers, origins, neighbour, { beforeSeconds: 60, badSeconds: 90 });
      },
      ({ cases, slowestSeconds, neighbours, trespasses }) =>
        cases.every(({ fits }) => fits) && slowestSeconds <= 15 && neighbours.share >= 0.95 && trespasses === 0,
    ),
  'origin-down': () =>
    inHouse(
      async (house) => {
        const clips = await ClipDirectory.make(await findFfmpeg());
        house.own(() => clips.remove());
        const segments = await clips.segments('testsrc2=s=320x180:r=10:d=4', 1, 10);
        const origin = await HlsOrigin.start();
        house.own(() => origin.stop());
        await monitorIn(house, [origin.host], { LOG_LEVEL: 'info' });
        const watchers = { client: await adminOf(house), logFile: monitorLogIn(house) };
        return originDown(watchers, { origin, segments }, { streams: 50, seconds: 45 });
      },
      ({ unavailable, refused, p95Ratio }) =>
        [unavailable, refused].every(
          ({ mostInTenSeconds, perSecond, spread }) => mostInTenSeconds <= 11 && perSecond <= 1 && spread > 0.05,
        ) && p95Ratio <= 1.25,
    ),
};
