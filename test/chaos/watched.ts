import { join } from 'node:path';
import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import { freePort } from '#tools/services/preflight.js';
import { ManagedProcess } from '#tools/services/process.js';
import { createVigilClient, type VigilClient } from '../../clients/typescript/client.js';
import { makeClip, photoOfPeople } from '../e2e/clips.js';
import { onAir } from '../e2e/fixture-origin.js';
import { eventually, must } from '../e2e/vigil.js';
import type { House } from './house.js';

/** A real monitor that watches a real stream. */
interface Watched {
  monitor: ManagedProcess;
  /** `kill -9` of the monitor's ffmpeg. @returns whether there was one */
  killFfmpeg: () => Promise<boolean>;
  /** Whether the stream is watched within a minute. */
  isLive: () => Promise<boolean>;
}

/**
 * Adds a monitor to a house, with a model that it has.
 * @param allow `host:port` of the origins that may be private
 */
export async function monitorIn(
  house: House,
  allow: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ManagedProcess> {
  const port = await freePort();
  const monitor = new ManagedProcess({
    ...{ name: 'monitor', command: process.execPath, cwd: repositoryRoot },
    args: [join(repositoryRoot, 'dist', 'apps', 'monitor', 'src', 'main.js')],
    env: childEnvironment({
      ...{ NODE_OPTIONS: undefined, LOG_LEVEL: 'warn', REDIS_URL: house.redis.url, MONITOR_PORT: String(port) },
      ...{ EVIDENCE_URL: pathToFileURL(join(house.folder, 'evidence')).href, SPOOL_DIR: join(house.folder, 'spool') },
      ...{ EGRESS_ALLOW: allow.join(','), MODEL_DOWNLOAD: 'false', CANARY_INTERVAL_MS: '0' },
      ...env,
    }),
    logFile: monitorLogIn(house),
    ready: { url: `http://127.0.0.1:${String(port)}/health/ready` },
  });
  house.own(() => monitor.stop());
  await monitor.start();
  return monitor;
}

/** Where a monitor of {@link monitorIn} writes what it does. */
export function monitorLogIn(house: House): string {
  return join(house.folder, 'monitor.log');
}

/** Signs the first admin of a house in. */
export async function adminOf(house: House): Promise<VigilClient> {
  const body = { username: 'admin', password: 'correct-horse-battery' };
  const { accessToken } = must(await createVigilClient(house.apiUrl, () => null).POST('/api/auth/login', { body }));
  return createVigilClient(house.apiUrl, () => accessToken);
}

/** Adds a monitor with one stream on air to a house. */
export async function watched(house: House): Promise<Watched> {
  const plan = { photo: photoOfPeople(), photoSeconds: 3, plainSeconds: 5 };
  const origin = await onAir((ffmpeg, folder) => makeClip(ffmpeg, join(folder, 'clip.mp4'), plan));
  house.own(() => origin.end());
  const monitor = await monitorIn(house, [origin.address]);
  const admin = await adminOf(house);
  const body = { name: 'on air', platform: 'url', url: origin.url };
  const path = { id: must(await admin.POST('/api/streams', { body })).id };
  must(await admin.POST('/api/monitoring/stream/{id}/start', { params: { path } }));
  const isLive = async (): Promise<boolean> => {
    const client = await adminOf(house);
    const live = async (): Promise<true | null> =>
      must(await client.GET('/api/streams/{id}', { params: { path } })).status.status === 'live' ? true : null;
    return eventually(live, 60_000, () => 'the stream is not watched').catch(() => false);
  };
  if (!(await isLive())) throw new Error('The stream of the scenario was never watched.');
  return { monitor, isLive, killFfmpeg: () => killFfmpegOf(monitor) };
}

async function killFfmpegOf(monitor: ManagedProcess): Promise<boolean> {
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    if (!/^Name:\s+ffmpeg/m.test(status) || Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== monitor.pid) continue;
    process.kill(Number(name), 'SIGKILL');
    return true;
  }
  return false;
}
