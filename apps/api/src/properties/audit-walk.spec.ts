import fc from 'fast-check';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';
import { ApiDocument, bodySchemaOf, operationsOf, type ApiOperation } from './operations.fixture.js';
import { SchemaCases } from './schema-cases.fixture.js';
import { World } from './world.fixture.js';

const SEED = 7;
/** Fitting requests that are tried until one succeeds. */
const TRIES = 60;
/** Times that the trail is read for an entry that may be written after the answer, and the pause between, ms. */
const LOOKS = 50;
const PAUSE_MS = 100;

/** Writes that leave no entry, and why. */
const SILENT: Readonly<Record<string, string>> = {
  verifyToken: 'says what a token is worth; a rotation belongs to the sign-in that is in the trail',
  checkUsername: 'asks',
  checkEmail: 'asks',
  forgotPassword: 'an entry would say whether somebody has the address; the new password is in the trail',
  verifyResetToken: 'asks',
  testKeywords: 'asks',
  detect: 'asks',
  markNotificationRead: 'what one has read oneself is nobody’s business',
  markAllNotificationsRead: 'what one has read oneself is nobody’s business',
  markNotificationUnread: 'what one has read oneself is nobody’s business',
  updateNotification: 'what one has read oneself is nobody’s business',
  deleteNotification: 'one’s own list',
  deleteNotifications: 'one’s own list',
  replaceNotificationPreferences: 'how one wants to be told',
  watchStream: 'how one wants to be told',
  unwatchStream: 'how one wants to be told',
  markMessagesRead: 'what one has read oneself is nobody’s business',
  markConversationRead: 'what one has read oneself is nobody’s business',
  sendMessage: 'the message itself is kept',
  deleteConversation: 'one’s own side of it',
  uploadAttachment: 'the file itself is kept, with who sent it',
};

/** Writes that this walk cannot make succeed, and where their entry is tested or why there is none. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  resetPassword: 'needs a code by mail: audit of sign-ins below',
  endSession: 'needs a second sign-in of the same user: audit of sign-ins below',
  acknowledgeNotification:
    'of a notification of one’s own, which the walking admin has none of; the row says who and when',
  forwardNotification: 'of a notification of one’s own; the row says who sent it on',
  retryDelivery: 'needs a delivery that failed',
  updateMyWebhook: 'needs a webhook of one’s own',
  deleteMyWebhook: 'needs a webhook of one’s own',
  linkMyTelegram: 'needs a bot: telegram.spec',
  unlinkMyTelegram: 'needs a linked chat: telegram.spec',
  forwardSocketEvent: 'for service tokens alone: forward.spec',
  pushChat: 'for service tokens alone; chat is kept itself',
  receiveKickWebhook: 'for what Kick signs; chat is kept itself',
};

/** Bodies that a schema alone does not tell. */
const BODIES: Readonly<Record<string, unknown>> = {
  login: { username: 'walker', password: TEST_PASSWORD },
  changePassword: { currentPassword: TEST_PASSWORD, newPassword: TEST_PASSWORD },
  importStreams: { streams: [{ name: 'of a walk', url: 'https://example.com/a.m3u8' }] },
  importKeywords: { rules: [{ pattern: 'of a walk' }] },
  restartMonitoring: {},
};

/** What is done to a stream that is watched. */
const WATCHED = new Set(['stopMonitoring', 'restartMonitoring', 'refreshStream', 'refreshStreams']);

describe('the audit trail of all rooms', () => {
  let api: TestApi;
  let document: ApiDocument;
  let maker: string;

  beforeAll(async () => {
    api = await TestApi.start({ REGISTRATION: 'open' }, 8);
    document = ApiDocument.parse((await api.call('GET', '/openapi.json')).body);
    maker = await api.token(await api.user('maker', 'admin'));
    await api.user('walker', 'agent');
  }, 60_000);

  afterAll(() => api.close());

  const entriesOf = async (requestId: string | null): Promise<unknown[]> =>
    ((await api.call('GET', '/api/logs?limit=200', maker)).body['items'] as { requestId: string }[]).filter(
      (entry) => entry.requestId === requestId,
    );

  /** Id of the first request of an operation that an admin was answered well, null when none was. */
  async function succeeded(operation: ApiOperation): Promise<string | null> {
    const world = await World.make(api, maker);
    const ids = await world.idsFor(document, operation);
    const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => ids.get(name)?.[0] ?? '');
    const token = world.tokenOf('admin');
    if (WATCHED.has(operation.operationId)) {
      await api.call('POST', `/api/monitoring/stream/${String(world.ids.get('streams'))}/start`, token);
    }
    const schema = bodySchemaOf(operation);
    const fitting =
      schema === undefined ? fc.constant(undefined) : new SchemaCases(document, world.ids).fitting(schema);
    const fixed = BODIES[operation.operationId];
    const bodies =
      fixed === undefined ? fc.sample(fitting, { numRuns: schema === undefined ? 1 : TRIES, seed: SEED }) : [fixed];
    for (const body of bodies) {
      const { status, headers } = await api.call(operation.method, path, token, body);
      if (status < 300) return headers.get('x-request-id');
    }
    return null;
  }

  it('has an entry of every write that succeeded', async () => {
    const silent: string[] = [];
    const failed: string[] = [];
    let walked = 0;
    for (const operation of operationsOf(document).filter(({ method }) => method !== 'GET')) {
      const { operationId } = operation;
      if (SILENT[operationId] !== undefined || ELSEWHERE[operationId] !== undefined) continue;
      const requestId = await succeeded(operation);
      walked += 1;
      if (requestId === null) failed.push(operationId);
      else if (!(await appears(requestId))) silent.push(operationId);
    }
    process.stdout.write(`audit walk: ${String(walked)} writes\n`);
    expect({ silent, failed }).toEqual({ silent: [], failed: [] });
    expect(walked).toBeGreaterThan(30);
  }, 120_000);

  async function appears(requestId: string): Promise<boolean> {
    for (let look = 0; look < LOOKS; look += 1) {
      if ((await entriesOf(requestId)).length > 0) return true;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return false;
  }

  it('names who tried to sign in as whom, and never what was typed as password', async () => {
    await api.call('POST', '/api/auth/login', null, { username: 'walker', password: 'a wrong password' });
    const { status, body } = await api.login('walker');
    expect(status).toBe(200);
    const token = String(body['accessToken']);
    const second = await api.login('walker');
    const sessions = await api.call('GET', '/api/auth/sessions', token);
    const [other] = (sessions.body['items'] as { id: string; current: boolean }[]).filter(({ current }) => !current);
    expect((await api.call('DELETE', `/api/auth/sessions/${other?.id ?? ''}`, token)).status).toBe(204);
    expect((await api.call('POST', '/api/auth/logout', token)).status).toBe(204);
    expect(second.status).toBe(200);
    const trail = (await api.call('GET', '/api/logs?limit=200', maker)).body['items'] as Record<string, unknown>[];
    const ofWalker = trail.filter(({ targetName, actorName }) => [targetName, actorName].includes('walker'));
    const actions = ofWalker.map(({ action }) => action);
    expect(actions.slice(0, 5)).toEqual([
      'user.signed_out',
      'user.session_ended',
      'user.signed_in',
      'user.signed_in',
      'user.sign_in_refused',
    ]);
    expect(ofWalker[4]).toMatchObject({ actorId: null, actorName: 'walker', targetId: '' });
    expect(JSON.stringify(trail)).not.toMatch(/a wrong password|a password for tests/);
  });
});
