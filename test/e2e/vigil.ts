import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { childEnvironment, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { setting } from '#libs/config/settings.js';
import { createTestDatabase } from '#libs/testing/test-database.js';
import { testData } from '#libs/testing/test-data.js';
import { freePort } from '#tools/services/preflight.js';
import { ManagedProcess } from '#tools/services/process.js';
import {
  createVigilClient,
  type NotificationEvents,
  type RootEvents,
  type VigilClient,
} from '../../clients/typescript/client.js';

const serviceSettings = {
  REDIS_URL: setting(z.url(), 'Redis for the tests: run `npm test`, which brings one.'),
  MODELS_DIR: monitorSettings.MODELS_DIR,
};

const ADMIN = { username: 'admin', password: 'correct-horse-battery' } as const;

/** Somebody who is signed in. */
export interface Person {
  id: string;
  username: string;
  token: string;
  client: VigilClient;
}

/** Everything a client heard on its sockets. */
export interface Ears {
  detections: Parameters<RootEvents['detection']>[0][];
  transcripts: Parameters<RootEvents['transcript']>[0][];
  statuses: Parameters<RootEvents['stream_status']>[0][];
  notifications: Parameters<NotificationEvents['notification']>[0][];
}

/** How the apps are started. */
export interface VigilOptions {
  /** `host:port` of the origins that may be private. */
  allow: readonly string[];
  /** Variables for both apps. */
  env?: Readonly<Record<string, string>>;
}

/**
 * The whole system: the api and the monitor as processes, a database of its own on a real Postgres, a real Redis.
 * Nothing in it is a stand-in; the streams come from real ffmpeg on loopback.
 */
export class Vigil {
  private readonly sockets: Socket[] = [];

  private constructor(
    readonly api: ManagedProcess,
    readonly monitor: ManagedProcess,
    readonly apiUrl: string,
    /** Directory of evidence, spool and logs. */
    readonly folder: string,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  /** Starts both apps; call {@link stop} whatever happens after. */
  static async start(options: VigilOptions): Promise<Vigil> {
    const { REDIS_URL, MODELS_DIR } = loadSettings(serviceSettings);
    const database = await createTestDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'vigil-e2e-'));
    const [apiPort, monitorPort] = [await freePort(), await freePort()];
    const env = childEnvironment({
      NODE_ENV: 'development',
      NODE_OPTIONS: undefined,
      LOG_LEVEL: 'info',
      DATABASE_URL: database.url,
      REDIS_URL,
      EVIDENCE_URL: pathToFileURL(join(folder, 'evidence')).href,
      SPOOL_DIR: join(folder, 'spool'),
      MODELS_DIR: testData('models') ?? MODELS_DIR,
      MODEL_DOWNLOAD: 'false',
      MAIN_APP_PORT: String(apiPort),
      MONITOR_PORT: String(monitorPort),
      EGRESS_ALLOW: options.allow.join(','),
      DEFAULT_ADMIN_USERNAME: ADMIN.username,
      DEFAULT_ADMIN_PASSWORD: ADMIN.password,
      RECONCILE_INTERVAL_MS: '1000',
      CANARY_INTERVAL_MS: '0',
      ...options.env,
    });
    const app = (name: string, url: string): ManagedProcess =>
      new ManagedProcess({
        name,
        command: process.execPath,
        args: [join(repositoryRoot, 'dist', 'apps', name, 'src', 'main.js')],
        env,
        cwd: repositoryRoot,
        logFile: join(folder, `${name}.log`),
        ready: { url },
      });
    const api = app('api', `http://127.0.0.1:${apiPort}/api/health/ready`);
    const monitor = app('monitor', `http://127.0.0.1:${monitorPort}/health/ready`);
    const vigil = new Vigil(api, monitor, `http://127.0.0.1:${apiPort}`, folder, () => database.drop());
    try {
      await api.start();
      await monitor.start();
      return vigil;
    } catch (error) {
      await vigil.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.disconnect();
    await this.monitor.stop();
    await this.api.stop();
    await this.dropDatabase();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Signs the first admin in. */
  admin(): Promise<Person> {
    return this.signIn(ADMIN.username, ADMIN.password);
  }

  async signIn(username: string, password: string): Promise<Person> {
    let token = '';
    const client = createVigilClient(this.apiUrl, () => (token === '' ? null : token));
    const { accessToken, user } = must(await client.POST('/api/auth/login', { body: { username, password } }));
    token = accessToken;
    return { id: user.id, username, token, client };
  }

  /** Makes an agent and signs it in. */
  async agent(admin: Person, username: string): Promise<Person> {
    const password = 'a-long-enough-password';
    const body = { username, email: `${username}@example.com`, name: username, password };
    must(await admin.client.POST('/api/agents', { body }));
    return this.signIn(username, password);
  }

  /** Adds a stream. @returns its id */
  async stream(admin: Person, name: string, url: string): Promise<string> {
    return must(await admin.client.POST('/api/streams', { body: { name, platform: 'url', url } })).id;
  }

  async startMonitoring(person: Person, id: string): Promise<void> {
    must(await person.client.POST('/api/monitoring/stream/{id}/start', { params: { path: { id } } }));
  }

  async stopMonitoring(person: Person, id: string): Promise<void> {
    must(await person.client.POST('/api/monitoring/stream/{id}/stop', { params: { path: { id } } }));
  }

  /** Waits until the stream's status satisfies `wanted`. */
  async status(
    person: Person,
    id: string,
    wanted: (status: string, reason: string | null) => boolean,
    withinMs = 30_000,
  ): Promise<{ status: string; reason: string | null; detail: string }> {
    let last = '';
    return eventually(
      async () => {
        const stream = must(await person.client.GET('/api/streams/{id}', { params: { path: { id } } }));
        last = JSON.stringify(stream.status);
        return wanted(stream.status.status, stream.status.reason) ? stream.status : null;
      },
      withinMs,
      () => `stream ${id} stayed ${last}`,
    );
  }

  /** Connects to both namespaces and keeps all it hears. */
  async listen(person: Person): Promise<Ears> {
    const ears: Ears = { detections: [], transcripts: [], statuses: [], notifications: [] };
    const options = { auth: { token: person.token }, transports: ['websocket'], forceNew: true };
    const root: Socket<RootEvents> = io(this.apiUrl, options);
    const notifications: Socket<NotificationEvents> = io(`${this.apiUrl}/notifications`, options);
    root.on('detection', (event) => void ears.detections.push(event));
    root.on('transcript', (event) => void ears.transcripts.push(event));
    root.on('stream_status', (event) => void ears.statuses.push(event));
    notifications.on('notification', (event) => void ears.notifications.push(event));
    this.sockets.push(root, notifications);
    await eventually(
      () => Promise.resolve(root.connected && notifications.connected ? true : null),
      10_000,
      () => 'a socket did not connect',
    );
    return ears;
  }

  /** Ids of every event whose evidence was written: what the monitor knows, whatever became of the facts. */
  async evidenceIds(): Promise<Set<string>> {
    // The directory comes with the first image.
    const names = await readdir(join(this.folder, 'evidence'), { recursive: true }).catch(() => []);
    return new Set(names.flatMap((name) => /([0-9a-f-]{36})\.jpg$/.exec(name)?.[1] ?? []));
  }

  /** Process ids of the ffmpegs that the monitor runs. */
  ffmpegs(): Promise<number[]> {
    return this.children((status) => /^Name:\s+ffmpeg/m.test(status));
  }

  /** Process ids of the speech engines that the monitor runs. */
  speechEngines(): Promise<number[]> {
    return this.children((_status, commandLine) => commandLine.includes('sherpa-child'));
  }

  /** Children of the monitor, by what /proc says of them. */
  private async children(wanted: (status: string, commandLine: string) => boolean): Promise<number[]> {
    const pids: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const read = (file: string): Promise<string> => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
      const status = await read('status');
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      if (parent === this.monitor.pid && wanted(status, await read('cmdline'))) pids.push(Number(name));
    }
    return pids;
  }
}

/** The data of an answer. @throws with the problem that the api told when there is none. */
export function must<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.error !== undefined || !answer.response.ok) {
    throw new Error(`${answer.response.url} answered ${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data as Data;
}

/** Asks until there is an answer; the time limit only bounds a failure. */
export async function eventually<T>(
  ask: () => Promise<T | null>,
  withinMs: number,
  complaint: () => string,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`After ${withinMs} ms: ${complaint()}`);
    await wait(100);
  }
}
