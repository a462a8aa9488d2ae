import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import type { DetectionView, UserStatusEvent } from '#libs/contracts/sockets.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { videoFact } from '../../apps/api/src/test-api.fixture.js';
import { ApiProcesses, type SignedIn } from './api-processes.js';
import { until } from './fact-path.js';

const HITS = 10_000;
const INTERVAL_MS = 1_000;
const LIMIT_MS = 60_000;

describe('three processes of the api', () => {
  let database: TestDatabase;
  let hook: WebhookServer;
  let apis: ApiProcesses;
  let chief: SignedIn;
  let agents: SignedIn[];
  const open: Socket[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    hook = await WebhookServer.start();
    const place = { databaseUrl: database.url, redisUrl: testRedisUrl(10) };
    apis = await ApiProcesses.start(3, place, {
      WEBHOOK_ALLOW: hook.place,
      NOTIFY_GROUP_WAIT_MS: '200',
      NOTIFY_GROUP_INTERVAL_MS: String(INTERVAL_MS),
      NOTIFY_IN_APP_MS: String(INTERVAL_MS),
    });
    [chief] = (await apis.signIn(['chief'], 'admin')) as [SignedIn];
    agents = await apis.signIn(['one', 'two', 'three', 'four', 'five', 'six'], 'agent');
  }, LIMIT_MS);

  afterEach(() => {
    for (const socket of open.splice(0)) socket.disconnect();
  });

  afterAll(async () => {
    await apis.stop();
    await hook.stop();
    await database.drop();
  }, LIMIT_MS);

  async function call(at: number, method: string, path: string, { token }: SignedIn, body?: object): Promise<Answer> {
    const response = await fetch(String(apis.all[at]?.url) + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
  }

  async function connect(at: number, { token }: SignedIn, namespace: string = NAMESPACES.root): Promise<Socket> {
    const options = { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false };
    const socket = io(String(apis.all[at]?.url) + namespace, options);
    open.push(socket);
    await until(() => socket.connected, 'a socket is connected');
    return socket;
  }

  const sql = async <Row extends object>(text: string, values: unknown[]): Promise<Row[]> =>
    (await apis.database.query<Row>(text, values)).rows;

  it(
    `make one notification an interval and channel of ${String(HITS)} hits, and count them all`,
    async () => {
      const agent = agents[0] as SignedIn;
      const streamId = await apis.stream('busy', [agent]);
      await call(0, 'POST', '/api/webhooks', chief, { url: hook.url });
      await call(1, 'POST', '/api/me/webhooks', agent, { url: `http://${hook.place}/mine` });
      const heard: string[][] = [];
      for (const at of [0, 1, 2]) {
        const ids: string[] = [];
        heard.push(ids);
        const socket = await connect(at, agent, NAMESPACES.notifications);
        socket.on('notification', ({ id }: { id: string }) => ids.push(id));
      }
      const ruleId = randomUUID();
      const monitors = [apis.monitor(), apis.monitor(), apis.monitor(), apis.monitor()];
      // Some intervals long, and many times faster than in a minute.
      for (let said = 0; said < HITS; said += 400) {
        await Promise.all(
          monitors.map((say) => say(Array.from({ length: 100 }, () => videoFact(streamId, { ruleId })))),
        );
        await wait(100);
      }
      const stored = 'SELECT count(*)::int AS count FROM detections WHERE rule_id = $1';
      await until(async () => (await sql<Counted>(stored, [ruleId]))[0]?.count === HITS, 'all are stored');
      const alerts = await sql<Counted & { at: Date }>(
        'SELECT count, opened_at AS at FROM alerts WHERE rule_id = $1 ORDER BY opened_at',
        [ruleId],
      );
      expect(total(alerts)).toBe(HITS);
      expect(alerts.length).toBeGreaterThan(1);
      expect(Math.min(...pausesOf(alerts))).toBeGreaterThanOrEqual(INTERVAL_MS);
      const deliveries = (): Promise<(Counted & { state: string })[]> =>
        sql(
          `SELECT count(*)::int AS count, min(d.state) || max(d.state) AS state FROM deliveries d
         JOIN alerts a ON a.id = d.alert_id WHERE a.rule_id = $1 GROUP BY d.alert_id, d.channel, d.user_id`,
          [ruleId],
        );
      await until(async () => (await deliveries()).every(({ state }) => state === 'sentsent'), 'all webhooks are sent');
      // The agent's own one and everybody's, once for each alert.
      expect((await deliveries()).map(({ count }) => count)).toEqual(Array(2 * alerts.length).fill(1));
      const calls = hook.calls.map(({ headers }) => headers['webhook-id']);
      expect(calls).toHaveLength(2 * alerts.length);
      expect(new Set(calls).size).toBe(calls.length);
      for (const { id } of [agent, chief]) {
        const told = await sql<Counted & { id: string; at: Date }>(
          'SELECT id, count, created_at AS at FROM notifications WHERE user_id = $1 AND stream_id = $2 ORDER BY seq',
          [id, streamId],
        );
        expect(total(told)).toBe(HITS);
        expect(Math.min(...pausesOf(told))).toBeGreaterThanOrEqual(INTERVAL_MS);
        if (id !== agent.id) continue;
        await until(() => heard.every((ids) => ids.length >= told.length), 'every process has told of all');
        for (const ids of heard) expect(ids).toEqual(told.map((row) => row.id));
      }
    },
    LIMIT_MS,
  );

  it(
    'all keep a silence from a second after it was made, at whichever of them',
    async () => {
      const agent = agents[1] as SignedIn;
      const mine = `http://${hook.place}/silenced`;
      await call(0, 'POST', '/api/me/webhooks', agent, { url: mine });
      const say = apis.monitor();
      const streams = await Promise.all([0, 1, 2].map((at) => apis.stream(`silenced ${String(at)}`, [agent])));
      const ruleId = randomUUID();
      const calls = (streamId: string): number[] =>
        hook.calls.filter(({ path, body }) => path === '/silenced' && body.includes(streamId)).map(({ at }) => at);
      let rounds = 0;
      const round = async (): Promise<void> => {
        rounds += 1;
        await say(streams.map((streamId) => videoFact(streamId, { ruleId })));
        await wait(50);
      };
      // Without a silence there is a call in every interval.
      while (streams.some((streamId) => calls(streamId).length < 2)) await round();
      const endsAt = new Date(Date.now() + 600_000).toISOString();
      const made = await Promise.all(
        streams.map((streamId, at) =>
          call(at, 'POST', '/api/silences', chief, { streamId, endsAt, reason: 'A test.' }),
        ),
      );
      expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
      const holdsFrom = Date.now() + 1_000;
      const before = rounds;
      while (Date.now() < holdsFrom + 3 * INTERVAL_MS) await round();
      const counted = (): Promise<(Counted & { suppressed: number })[]> =>
        sql(
          `SELECT sum(count)::int AS count, sum(suppressed)::int AS suppressed FROM alerts
         WHERE rule_id = $1 GROUP BY stream_id`,
          [ruleId],
        );
      await until(async () => total(await counted()) === 3 * rounds, 'all are counted');
      for (const { count, suppressed } of await counted()) {
        expect(count).toBe(rounds);
        expect(suppressed).toBeGreaterThan((rounds - before) / 2);
      }
      expect(streams.flatMap(calls).filter((at) => at > holdsFrom)).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'part with all sockets of a sign-in within 5 s of its end at one of them',
    async () => {
      const [leaving, staying] = await apis.signIn(['leaving', 'staying'], 'agent');
      const places = [0, 1, 2].flatMap((at) => Object.values(NAMESPACES).map((namespace) => ({ at, namespace })));
      const of = (who: SignedIn | undefined): Promise<Socket[]> =>
        Promise.all(places.map(({ at, namespace }) => connect(at, who as SignedIn, namespace)));
      const [gone, kept] = [await of(leaving), await of(staying)];
      expect((await call(0, 'POST', '/api/auth/logout', leaving as SignedIn)).status).toBe(204);
      const endedAt = Date.now();
      await until(() => gone.every(({ connected }) => !connected), 'all of them are closed');
      expect(Date.now() - endedAt).toBeLessThan(5_000);
      expect(kept.every(({ connected }) => connected)).toBe(true);
    },
    LIMIT_MS,
  );

  it(
    'take an agent out of the room of a stream within 1 s of the end of its assignment at one of them',
    async () => {
      const streams = await Promise.all([0, 1, 2].map((at) => apis.stream(`left ${String(at)}`, agents)));
      const heard = new Map<string, number>();
      for (const [index, agent] of agents.entries()) {
        const socket = await connect(index % 3, agent);
        socket.on('detection', ({ streamId }: DetectionView) => heard.set(`${streamId} ${agent.id}`, Date.now()));
      }
      let told = 0;
      (await connect(0, chief)).on('detection', () => (told += 1));
      const say = apis.monitor();
      const roundsFor = async (ms: number): Promise<void> => {
        for (const end = Date.now() + ms; Date.now() < end; await wait(50)) {
          await say(streams.map((streamId) => videoFact(streamId)));
        }
      };
      while (heard.size < streams.length * agents.length) await roundsFor(50);
      const late: number[] = [];
      // Processes look at all of their sockets every 4 s, hint or no hint: of three ends so far apart, one comes long
      // before the next look.
      for (const [at, streamId] of streams.entries()) {
        const emptied = await call(at, 'PUT', `/api/streams/${streamId}/assignments`, chief, { assignments: [] });
        expect(emptied.status).toBe(200);
        const endedAt = Date.now();
        const before = told;
        await roundsFor(1_300);
        expect(told).toBeGreaterThan(before);
        late.push(...agents.map(({ id }) => (heard.get(`${streamId} ${id}`) ?? 0) - endedAt));
      }
      expect(Math.max(...late)).toBeLessThan(1_000);
    },
    LIMIT_MS,
  );

  it(
    'say that a user is online who has closed one of two tabs at two of them, until the other is closed',
    async () => {
      const [user, marker] = (await apis.signIn(['tabs', 'marker'], 'agent')) as [SignedIn, SignedIn];
      const seen: boolean[] = [];
      const marks: boolean[] = [];
      (await connect(2, chief)).on('user_status', ({ userId, online }: UserStatusEvent) => {
        if (userId === user.id) seen.push(online);
        if (userId === marker.id) marks.push(online);
      });
      const [first, second] = [await connect(0, user), await connect(1, user)];
      await until(() => seen.length === 1, 'the user is seen');
      first.disconnect();
      // Somebody else comes and goes: whatever the end of the tab had to say is said by then.
      const passing = await connect(0, marker);
      await until(() => marks.length === 1, 'the other one comes');
      passing.disconnect();
      await until(() => marks.length === 2, 'the other one goes');
      expect(seen).toEqual([true]);
      for (const at of [0, 1, 2]) {
        const { body } = await call(at, 'GET', '/api/online-users', chief);
        expect(JSON.stringify(body)).toContain(user.id);
      }
      second.disconnect();
      await until(() => seen.length === 2, 'the user goes');
      expect(seen).toEqual([true, false]);
    },
    LIMIT_MS,
  );
});

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

interface Counted {
  count: number;
}

const total = (rows: readonly Counted[]): number => rows.reduce((sum, { count }) => sum + count, 0);

/** Times from each row to the next, ms. */
function pausesOf(rows: readonly { at: Date }[]): number[] {
  return rows.slice(1).map(({ at }, index) => at.getTime() - (rows[index]?.at.getTime() ?? 0));
}
