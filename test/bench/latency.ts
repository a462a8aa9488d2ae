import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { repositoryRoot } from '#libs/config/environment.js';
import { DemoClient } from '#tools/demo/client.js';
import { ProcessGroup } from '#tools/services/process-group.js';
import { startStack } from '#tools/services/stack.js';
import { makeClip, photoOfPeople } from '../e2e/clips.js';
import { onAir } from '../e2e/fixture-origin.js';

/** How long events are collected, s. */
const SECONDS = 120;
/** Streams that are watched at once. */
const STREAMS = 3;
/** The object is in the picture for so long, then away for so long, s. */
const [PRESENT, AWAY] = [3, 5];
/** Length of a segment of the live stream, s. */
const SEGMENT = 2;

/** Figures of one run, ms. */
export interface LatencyFigures {
  /** From the confirming frame being on air to the event at a Socket.IO client. */
  p50: number;
  p95: number;
  /** From the object being on air for the first time: includes the samples that confirm it. */
  firstSightP50: number;
  firstSightP95: number;
  /** What HLS alone costs at worst: a segment is complete before it is listed, and listed before it is asked for. */
  floor: number;
  ratioToFloor: number;
  events: number;
  model: string;
}

/** Measures a live HLS stream through both apps, with real servers, to a Socket.IO client. */
export async function benchLatency(progress: (text: string) => void): Promise<LatencyFigures> {
  const stateDir = join(repositoryRoot, '.vigil', 'bench');
  await rm(stateDir, { recursive: true, force: true });
  const group = new ProcessGroup(progress);
  const fixture = await onAir((ffmpeg, folder) =>
    makeClip(ffmpeg, join(folder, 'clip.mp4'), {
      photo: photoOfPeople(),
      photoSeconds: PRESENT,
      plainSeconds: AWAY,
    }),
  );
  try {
    const account = { username: 'bench', password: randomBytes(12).toString('base64url') };
    const stack = await startStack(group, {
      ...{ stateDir, say: progress, throwaway: true },
      env: {
        DEFAULT_ADMIN_USERNAME: account.username,
        DEFAULT_ADMIN_PASSWORD: account.password,
        EGRESS_ALLOW: fixture.address,
        LOG_LEVEL: 'warn',
      },
    });
    const client = new DemoClient(stack.apiUrl, account);
    await client.login();
    await client.watchFor('person');
    const confirming: number[] = [];
    const firstSight: number[] = [];
    let model = 'none';
    const socket = client.listen({
      detection: (detection) => {
        if (detection.ptsMs === null) return;
        const now = Date.now();
        const confirmedAt = fixture.onAirAt(detection.ptsMs, now);
        const cycle = (PRESENT + AWAY) * 1000;
        const sinceStart = (confirmedAt - fixture.startedAt) % cycle;
        model = detection.model;
        confirming.push(now - confirmedAt);
        firstSight.push(now - confirmedAt + sinceStart);
      },
    });
    for (let index = 1; index <= STREAMS; index += 1) {
      await client.startMonitoring(await client.ensureStream({ name: `bench ${index}`, url: fixture.url, chat: null }));
    }
    progress(`collecting events for ${SECONDS} s`);
    // The first events of a stream carry the start of its capture.
    await wait(((PRESENT + AWAY) * 2 + 5) * 1000);
    confirming.length = 0;
    firstSight.length = 0;
    await wait(SECONDS * 1000);
    socket.close();
    const floor = (SEGMENT + SEGMENT) * 1000;
    return {
      p50: quantile(confirming, 0.5),
      p95: quantile(confirming, 0.95),
      firstSightP50: quantile(firstSight, 0.5),
      firstSightP95: quantile(firstSight, 0.95),
      floor,
      ratioToFloor: Math.round((quantile(confirming, 0.95) / floor) * 1000) / 1000,
      events: confirming.length,
      model,
    };
  } finally {
    await group.stop();
    await fixture.end();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** The value below which that share lies, by the nearest rank. */
function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('No event was seen.');
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN);
}
