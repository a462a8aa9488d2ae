import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { childEnvironment, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { testData } from '#libs/testing/test-data.js';
import { freePort } from '#tools/services/preflight.js';
import { ManagedProcess } from '#tools/services/process.js';
import { createVigilClient, type VigilClient } from '../../clients/typescript/client.js';
import { photoOfPeople } from '../e2e/clips.js';
import { onAir } from '../e2e/fixture-origin.js';
import { eventually, must } from '../e2e/vigil.js';
import type { House } from './house.js';

const run = promisify(execFile);
/** How long a sign-in is used before a new one, ms. */
const SIGN_IN_MS = 300_000;

/** What a fleet is made of. */
interface FleetPlan {
  monitors: number;
  streams: number;
  /** Flags of Node for the monitors, before their program. */
  flags?: readonly string[];
  /** Sees each line of the monitors first, as {@link ManagedProcess} has it. */
  onLine?: (line: string) => string | null;
}

/** Real monitors with the settings that are shipped, and real streams, all of one origin on loopback. */
export class Fleet {
  private signedIn: { client: VigilClient; at: number } | null = null;

  private constructor(
    private readonly house: House,
    readonly monitors: readonly ManagedProcess[],
    readonly streamIds: readonly string[],
  ) {}

  /** Resolves when every stream is watched; {@link seconds} says how long that took. The house ends it all. */
  static async open(
    house: House,
    { monitors: count, streams, flags = [], onLine }: FleetPlan,
  ): Promise<Fleet & { readonly seconds: number }> {
    const origin = await onAir(makeCheapClip);
    house.own(() => origin.end());
    const { MODELS_DIR } = loadSettings({ MODELS_DIR: monitorSettings.MODELS_DIR });
    const monitors: ManagedProcess[] = [];
    for (let index = 0; index < count; index += 1) {
      const folder = await mkdtemp(join(house.folder, 'monitor-'));
      const port = await freePort();
      const monitor = new ManagedProcess({
        ...{ name: `monitor ${String(index + 1)}`, command: process.execPath, cwd: repositoryRoot },
        args: [...flags, join(repositoryRoot, 'dist', 'apps', 'monitor', 'src', 'main.js')],
        env: childEnvironment({
          ...{ NODE_ENV: 'production', NODE_OPTIONS: undefined, LOG_LEVEL: 'warn', REDIS_URL: house.redis.url },
          ...{ MONITOR_PORT: String(port), MONITOR_ID: `m${String(index + 1)}`, SPOOL_DIR: join(folder, 'spool') },
          EVIDENCE_URL: pathToFileURL(join(house.folder, 'evidence')).href,
          ...{
            EGRESS_ALLOW: origin.address,
            MODEL_DOWNLOAD: 'false',
            CANARY_INTERVAL_MS: '0',
            MODELS_DIR: testData('models') ?? MODELS_DIR,
          },
        }),
        logFile: join(folder, 'monitor.log'),
        // What compose files and orchestrators allow.
        graceMs: 30_000,
        ready: { url: `http://127.0.0.1:${String(port)}/health/ready` },
        ...(onLine === undefined ? {} : { onLine }),
      });
      house.own(() => monitor.stop());
      monitors.push(monitor);
    }
    await Promise.all(monitors.map((monitor) => monitor.start()));
    const ids: string[] = [];
    const fleet = new Fleet(house, monitors, ids);
    const admin = await fleet.admin();
    must(await admin.POST('/api/objects', { body: { label: 'person', threshold: 0.3 } }));
    for (let index = 0; index < streams; index += 1) {
      const body = {
        name: `camera ${String(index + 1)}`,
        platform: 'url',
        url: `${origin.url}?camera=${String(index)}`,
      };
      ids.push(must(await admin.POST('/api/streams', { body })).id);
    }
    const startedAt = performance.now();
    for (const id of ids) must(await admin.POST('/api/monitoring/stream/{id}/start', { params: { path: { id } } }));
    await fleet.allLive(120_000);
    return Object.assign(fleet, { seconds: Math.round((performance.now() - startedAt) / 100) / 10 });
  }

  /** A client of the first admin. */
  async admin(): Promise<VigilClient> {
    if (this.signedIn !== null && Date.now() - this.signedIn.at < SIGN_IN_MS) return this.signedIn.client;
    const { apiUrl } = this.house;
    const body = { username: 'admin', password: 'correct-horse-battery' };
    const { accessToken } = must(await createVigilClient(apiUrl, () => null).POST('/api/auth/login', { body }));
    this.signedIn = { client: createVigilClient(apiUrl, () => accessToken), at: Date.now() };
    return this.signedIn.client;
  }

  /** The session of each stream that is watched, and since when it is, epoch ms by its monitor's clock. */
  async live(): Promise<Map<string, { session: number; at: number }>> {
    const rows = await this.house.query<{ id: string; session: string; at: string }>(
      `SELECT id, session, status_fact_at AS at FROM streams WHERE status = 'live' AND id = ANY($1)`,
      [this.streamIds],
    );
    return new Map(rows.map(({ id, session, at }) => [id, { session: Number(session), at: Number(at) }]));
  }

  /** Waits until every stream is watched by a session that is newer than the one it had. @returns since when each is */
  async allLive(withinMs: number, before: ReadonlyMap<string, number> = new Map()): Promise<Map<string, number>> {
    let missing = this.streamIds;
    return eventually(
      async () => {
        // Postgres may be among what was killed.
        const live = await this.live().catch(() => new Map<string, { session: number; at: number }>());
        missing = this.streamIds.filter((id) => (live.get(id)?.session ?? -1) <= (before.get(id) ?? 0));
        return missing.length > 0 ? null : new Map([...live].map(([id, { at }]) => [id, at]));
      },
      withinMs,
      () => `${String(missing.length)} streams are not watched, ${missing.slice(0, 3).join(', ')} among them`,
    );
  }
}

/** Twenty seconds of people, 320x180, one picture a second and each a keyframe: what costs least to watch. */
async function makeCheapClip(ffmpeg: string, folder: string): Promise<string> {
  const path = join(folder, 'clip.mp4');
  const picture = ['-loop', '1', '-framerate', '1', '-t', '20', '-i', photoOfPeople()];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '1', '-pix_fmt', 'yuv420p'];
  await run(ffmpeg, ['-v', 'error', ...picture, '-vf', 'scale=320:180,setsar=1', ...codec, '-y', path]);
  return path;
}
