import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import { TestApi } from '../test-api.fixture.js';
import { SocketClients, until } from './socket-clients.fixture.js';

interface Row {
  id: string;
  seq: string;
}

describe('a client that was away', () => {
  const clients = new SocketClients();
  let api: TestApi;
  let ids: Record<'admin' | 'agent' | 'friend', string>;
  let tokens: Record<keyof typeof ids, string>;
  let streamId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 15);
    ids = {
      admin: await api.user('chief', 'admin'),
      agent: await api.user('agent', 'agent'),
      friend: await api.user('friend', 'agent'),
    };
    tokens = {
      admin: await api.token(ids.admin),
      agent: await api.token(ids.agent),
      friend: await api.token(ids.friend),
    };
    const body = { name: 'main', url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', tokens.admin, body)).body['id']);
    await api.call('POST', '/api/assignments', tokens.admin, { streamId, agentId: ids.agent });
  }, 60_000);

  afterAll(async () => {
    clients.closeAll();
    await api.close();
  });

  /** A front end that keeps what it has by id, and the last number of each list. */
  class FrontEnd {
    readonly rows = { detection: [] as Row[], notification: [] as Row[], message: [] as Row[] };
    private sockets: Socket[] = [];

    async connect(): Promise<void> {
      for (const [namespace, event] of [
        [NAMESPACES.root, 'detection'],
        [NAMESPACES.notifications, 'notification'],
        [NAMESPACES.messages, 'message'],
      ] as const) {
        const socket = await clients.connect(api, tokens.agent, namespace);
        socket.on(event, (row: Row) => this.rows[event].push(row));
        this.sockets.push(socket);
      }
      await until(() => api.socketsOf(streamId).includes(String(this.sockets.at(-3)?.id)));
    }

    disconnect(): void {
      for (const socket of this.sockets.splice(0)) socket.disconnect();
    }

    /** Everything since the last one known, page by page. @returns how many came. */
    async replay(event: keyof FrontEnd['rows'], path: string): Promise<number> {
      let query = `?after=${this.rows[event].at(-1)?.seq ?? '0'}&limit=7`;
      let count = 0;
      for (;;) {
        const { status, body } = await api.call('GET', path + query, tokens.agent);
        expect(status).toBe(200);
        const { items, nextCursor } = body as unknown as { items: Row[]; nextCursor: string | null };
        this.rows[event].push(...items);
        count += items.length;
        if (nextCursor === null) return count;
        query = `?limit=7&cursor=${nextCursor}`;
      }
    }
  }

  async function write(): Promise<string> {
    const message = { clientId: randomUUID(), body: 'Hello.' };
    return String((await api.call('POST', `/api/messages/${ids.agent}`, tokens.friend, message)).body['id']);
  }

  it('gets all that happened meanwhile by its cursors: nothing missing, nothing doubled', async () => {
    const front = new FrontEnd();
    const detections: string[] = [];
    const messages: string[] = [];
    const happen = async (ofDetections: number, ofMessages: number): Promise<void> => {
      for (let count = 0; count < ofDetections; count += 1) detections.push((await api.detect(streamId)).id);
      for (let count = 0; count < ofMessages; count += 1) messages.push(await write());
    };
    await front.connect();
    await happen(3, 2);
    await until(() => front.rows.detection.length === 3 && front.rows.message.filter(isText).length === 2);
    await until(() => front.rows.notification.length === 3);
    front.disconnect();
    await happen(50, 20);
    expect(await front.replay('detection', '/api/detections')).toBe(50);
    expect(await front.replay('notification', '/api/notifications')).toBe(50);
    expect(await front.replay('message', `/api/messages/${ids.friend}`)).toBe(20);
    await front.connect();
    await happen(2, 2);
    await until(() => front.rows.detection.length === 55 && front.rows.message.filter(isText).length === 24);
    await until(() => front.rows.notification.length === 55);
    expect(front.rows.detection.map(({ id }) => id)).toEqual(detections);
    expect(front.rows.message.filter(isText).map(({ id }) => id)).toEqual(messages);
    for (const rows of Object.values(front.rows)) {
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
      const numbers = rows.map(({ seq }) => BigInt(seq));
      expect(numbers).toEqual([...numbers].sort((one, other) => (one < other ? -1 : 1)));
    }
  }, 30_000);

  const isText = (row: Row): boolean => !('kind' in row) || row.kind === 'text';
});
