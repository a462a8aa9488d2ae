import { randomUUID } from 'node:crypto';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { NAMESPACES } from '#libs/contracts/names.js';
import type { UserStatusEvent } from '#libs/contracts/sockets.js';
import { TestApi } from '../test-api.fixture.js';
import { PRESENCE_TIMES, type PresenceTimes } from './presence.js';
import { SocketClients, until } from './socket-clients.fixture.js';

/** Other processes look every two seconds. */
const LIMIT_MS = 40_000;

describe('presence', () => {
  const clients = new SocketClients();
  let api: TestApi;
  let other: TestApi;
  let adminToken: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    other = await api.beside();
    adminToken = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterEach(() => {
    clients.closeAll();
  });

  afterAll(async () => {
    await other.close();
    await api.close();
  });

  async function agent(): Promise<{ id: string; token: string }> {
    const id = await api.user(`agent-${randomUUID()}`, 'agent');
    return { id, token: await api.token(id) };
  }

  /** Everything that a client hears of one user: `true` for online. */
  async function heard(token: string, of: string, at = api): Promise<boolean[]> {
    const socket = await clients.connect(at, token);
    const seen: boolean[] = [];
    socket.on('user_status', ({ userId, online }: UserStatusEvent) => {
      if (userId === of) seen.push(online);
    });
    return seen;
  }

  const isOnline = async (id: string): Promise<boolean> =>
    (await api.app.get(PresenceBoard, { strict: false }).online()).has(id);

  it(
    'keeps a user online who closes one of two tabs, on one process or on two',
    async () => {
      for (const second of [api, other]) {
        const user = await agent();
        const seen = [await heard(adminToken, user.id), await heard(adminToken, user.id, other)];
        const tabs = [
          await clients.connect(api, user.token),
          await clients.connect(second, user.token, NAMESPACES.messages),
        ];
        await until(() => seen.every((events) => events.length === 1));
        tabs[0]?.disconnect();
        // Somebody else comes and goes: whatever the first tab's end had to say is said by then.
        const marker = await agent();
        const marks = await heard(adminToken, marker.id);
        const passing = await clients.connect(api, marker.token);
        await until(() => marks.length === 1);
        passing.disconnect();
        await until(() => marks.length === 2);
        expect(seen).toEqual([[true], [true]]);
        expect(await isOnline(user.id)).toBe(true);
        tabs[1]?.disconnect();
        await until(() => seen.every((events) => events.length === 2));
        expect(seen).toEqual([
          [true, false],
          [true, false],
        ]);
      }
    },
    LIMIT_MS,
  );

  it(
    'tells those who share a conversation, and no other agent',
    async () => {
      const [user, partner, stranger] = [await agent(), await agent(), await agent()];
      const message = { clientId: randomUUID(), body: 'Hello.' };
      expect((await api.call('POST', `/api/messages/${user.id}`, partner.token, message)).status).toBe(201);
      const [toAdmin, toPartner, toStranger] = [
        await heard(adminToken, user.id),
        await heard(partner.token, user.id, other),
        await heard(stranger.token, user.id),
      ];
      const socket = await clients.connect(api, user.token);
      await until(() => toAdmin.length === 1 && toPartner.length === 1);
      const conversations = await other.call('GET', '/api/conversations', partner.token);
      expect(conversations.body['items']).toMatchObject([{ user: { id: user.id }, online: true }]);
      socket.disconnect();
      await until(() => toAdmin.length === 2 && toPartner.length === 2);
      expect([toAdmin, toPartner, toStranger]).toEqual([[true, false], [true, false], []]);
    },
    LIMIT_MS,
  );

  it(
    'misses the users of a process that was killed once its entry has run out',
    async () => {
      const user = await agent();
      const seen = await heard(adminToken, user.id);
      // What a process leaves behind that has no time to take its entry away.
      const board = api.app.get(PresenceBoard, { strict: false });
      await board.announce(randomUUID(), [user.id], 2_500);
      await until(() => seen.length === 1);
      await until(() => seen.length === 2);
      expect(seen).toEqual([true, false]);
    },
    LIMIT_MS,
  );

  it('renews its own entry well before it runs out', () => {
    const { intervalMs, timeToLiveMs } = api.app.get<PresenceTimes>(PRESENCE_TIMES, { strict: false });
    expect(timeToLiveMs).toBeGreaterThanOrEqual(3 * intervalMs);
  });
});
