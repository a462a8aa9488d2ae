import { randomUUID } from 'node:crypto';
import { METHODS } from 'node:http';
import { z } from 'zod';
import { RefreshTokens } from './auth/refresh-tokens.js';
import { TEST_PASSWORD, TestApi } from './test-api.fixture.js';

const ACTORS = ['anonymous', 'agent', 'assigned', 'admin', 'disabled', 'expired'] as const;
type Actor = (typeof ACTORS)[number];

/** What a row may use: made anew after each request that may have changed it, so that rows do not depend on each other. */
interface Scene {
  /** A stream that the assigned agent looks after. */
  streamId: string;
  assignmentId: string;
  ruleId: string;
  keywordId: string;
  zoneId: string;
  serviceTokenId: string;
  detectionId: string;
  /** A notification of the assigned agent about that detection. */
  notificationId: string;
  agentIds: Record<'agent' | 'assigned', string>;
  silenceId: string;
  /** A global webhook. */
  webhookId: string;
  /** An agent that nothing else needs. */
  disposableAgentId: string;
  /** A sign-in of the assigned agent. */
  sessionId: string;
  invitationId: string;
  /** The code of that invitation. */
  invitation: string;
}

interface Row {
  /** Expected statuses, in the order of {@link ACTORS}. */
  expect: readonly [number, number, number, number, number, number];
  path?: (scene: Scene) => string;
  body?: (scene: Scene) => unknown;
}

const nobody = [404, 404, 404, 404, 404, 404] as const;
const everyone = [200, 200, 200, 200, 200, 200] as const;
const signedIn = [401, 200, 200, 200, 401, 401] as const;
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
const unique = (): string => randomUUID().slice(0, 13);
const streamPath =
  (suffix = '', prefix = '/api/streams/') =>
  ({ streamId }: Scene): string =>
    prefix + streamId + suffix;

const TRIANGLE = [
  [0, 0],
  [1, 0],
  [0, 1],
];
const zonePath = ({ streamId, zoneId }: Scene): string => `/api/streams/${streamId}/zones/${zoneId}`;

/** Who gets which answer, for every route the api has. */
const MATRIX: Record<string, Row> = {
  'GET /health': { expect: everyone },
  'GET /health/live': { expect: everyone },
  'GET /health/ready': { expect: everyone },
  'GET /api/health': { expect: everyone },
  'GET /api/health/live': { expect: everyone },
  'GET /api/health/ready': { expect: everyone },
  'GET /metrics': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /api/metrics': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /docs': { expect: everyone },
  'GET /docs/': { expect: everyone },
  'GET /docs/events': { expect: everyone },
  'GET /docs/swagger-ui-init.js': { expect: everyone },
  'GET /docs/docs/swagger-ui-init.js': { expect: everyone },
  'GET /docs/index.html': { expect: everyone },
  'GET /docs/LICENSE': { expect: nobody },
  'GET /openapi.json': { expect: everyone },
  'GET /openapi.yaml': { expect: everyone },

  'POST /api/auth/login': {
    expect: everyone,
    body: () => ({ username: 'assigned', password: TEST_PASSWORD }),
  },
  'POST /api/auth/token-verify': { expect: everyone, body: () => ({ token: 'no token' }) },
  'POST /api/auth/logout': { expect: [401, 204, 204, 204, 401, 401] },
  'GET /api/auth/session': { expect: signedIn },
  'POST /api/auth/change-password': {
    expect: [401, 204, 204, 204, 401, 401],
    body: () => ({ currentPassword: TEST_PASSWORD, newPassword: TEST_PASSWORD }),
  },
  'POST /api/auth/register': {
    expect: [201, 201, 201, 201, 201, 201],
    body: ({ invitation }) => ({
      username: `u${unique()}`,
      email: `${unique()}@example.com`,
      password: TEST_PASSWORD,
      invitation,
    }),
  },
  'POST /api/auth/check-username': { expect: everyone, body: () => ({ username: 'assigned' }) },
  'POST /api/auth/check-email': { expect: everyone, body: () => ({ email: 'assigned@example.com' }) },
  // Each for another address: one may be asked for a few times only.
  'POST /api/auth/forgot-password': {
    expect: [202, 202, 202, 202, 202, 202],
    body: () => ({ email: `${unique()}@example.com` }),
  },
  'POST /api/auth/verify-reset-token': { expect: everyone, body: () => ({ token: 'no code' }) },
  'POST /api/auth/reset-password': {
    expect: [400, 400, 400, 400, 400, 400],
    body: () => ({ token: 'no code', newPassword: TEST_PASSWORD }),
  },
  'GET /api/auth/sessions': { expect: signedIn },
  'DELETE /api/auth/sessions': { expect: [401, 204, 204, 204, 401, 401] },
  // Nobody sees that of another, admins included.
  'DELETE /api/auth/sessions/:id': {
    expect: [401, 404, 204, 404, 401, 401],
    path: ({ sessionId }) => `/api/auth/sessions/${sessionId}`,
  },
  'GET /api/auth/invitations': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/auth/invitations': { expect: [401, 403, 403, 201, 401, 401], body: () => ({}) },
  'DELETE /api/auth/invitations/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ invitationId }) => `/api/auth/invitations/${invitationId}`,
  },

  'GET /api/me': { expect: signedIn },
  'PATCH /api/me': { expect: signedIn, body: () => ({ bio: 'Watches at night.' }) },

  'GET /api/agents': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/agents': {
    expect: [401, 403, 403, 201, 401, 401],
    body: () => ({ username: `u${unique()}`, email: `${unique()}@example.com`, password: TEST_PASSWORD }),
  },
  'GET /api/agents/:id': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ agentIds }) => `/api/agents/${agentIds.assigned}`,
  },
  'PATCH /api/agents/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ agentIds }) => `/api/agents/${agentIds.assigned}`,
    body: () => ({ name: 'Changed' }),
  },

  'DELETE /api/agents/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ disposableAgentId }) => `/api/agents/${disposableAgentId}`,
  },
  'GET /api/agents/:id/assignments': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ agentIds }) => `/api/agents/${agentIds.assigned}/assignments`,
  },
  'GET /api/agents/:id/performance': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ agentIds }) => `/api/agents/${agentIds.assigned}/performance`,
  },
  'GET /api/online-users': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /api/dashboard': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /api/agent/dashboard': { expect: signedIn },
  'GET /api/analytics/detections': { expect: signedIn },
  'GET /api/canary': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /api/analytics/coverage': { expect: [401, 403, 403, 200, 401, 401] },
  'GET /api/streams/:id/coverage': { expect: [401, 404, 200, 200, 401, 401], path: streamPath('/coverage') },
  'GET /api/logs': { expect: [401, 403, 403, 200, 401, 401] },

  'GET /api/streams': { expect: signedIn },
  'POST /api/streams': {
    expect: [401, 403, 403, 201, 401, 401],
    body: () => ({ name: unique(), url: 'https://example.com/a.m3u8' }),
  },
  'POST /api/streams/jobs': {
    expect: [401, 403, 403, 202, 401, 401],
    body: () => ({ name: unique(), url: 'https://example.com/a.m3u8' }),
  },
  'POST /api/streams/import': {
    expect: [401, 403, 403, 202, 401, 401],
    body: () => ({ streams: [{ name: unique(), url: 'https://example.com/a.m3u8' }] }),
  },
  'POST /api/streams/refresh': { expect: [401, 403, 403, 202, 401, 401], body: () => ({ platform: 'url' }) },
  'POST /api/streams/:id/refresh': { expect: [401, 403, 403, 202, 401, 401], path: streamPath('/refresh') },
  'POST /api/streams/:id/status': {
    expect: [401, 403, 403, 200, 401, 401],
    path: streamPath('/status'),
    body: () => ({ status: 'offline' }),
  },
  'GET /api/streams/jobs/:id': { expect: [401, 403, 403, 404, 401, 401], path: streamPath('', '/api/streams/jobs/') },
  'GET /api/streams/jobs/:id/events': {
    expect: [401, 403, 403, 404, 401, 401],
    path: streamPath('/events', '/api/streams/jobs/'),
  },
  'GET /api/streams/:id': { expect: [401, 404, 200, 200, 401, 401], path: streamPath() },
  'PATCH /api/streams/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: streamPath(),
    body: () => ({ priority: 2 }),
  },
  'DELETE /api/streams/:id': { expect: [401, 403, 403, 204, 401, 401], path: streamPath() },
  // Those of another's stream are an empty list.
  'GET /api/streams/:id/detections': { expect: signedIn, path: streamPath('/detections') },

  'GET /api/streams/:id/watch': { expect: [401, 404, 200, 200, 401, 401], path: streamPath('/watch') },
  'PUT /api/streams/:id/watch': { expect: [401, 404, 200, 200, 401, 401], path: streamPath('/watch') },
  'DELETE /api/streams/:id/watch': { expect: [401, 404, 204, 204, 401, 401], path: streamPath('/watch') },

  'GET /api/assignments': { expect: signedIn },
  'POST /api/assignments': {
    expect: [401, 403, 403, 201, 401, 401],
    body: ({ streamId, agentIds }) => ({ streamId, agentId: agentIds.agent }),
  },
  'PUT /api/streams/:id/assignments': {
    expect: [401, 403, 403, 200, 401, 401],
    path: streamPath('/assignments'),
    body: ({ agentIds }) => ({ assignments: [{ agentId: agentIds.assigned }] }),
  },
  'DELETE /api/assignments/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ assignmentId }) => `/api/assignments/${assignmentId}`,
  },

  'GET /api/objects': { expect: signedIn },
  'POST /api/objects': { expect: [401, 403, 403, 201, 401, 401], body: () => ({ label: unique() }) },
  'GET /api/objects/:id': { expect: signedIn, path: ({ ruleId }) => `/api/objects/${ruleId}` },
  'PATCH /api/objects/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ ruleId }) => `/api/objects/${ruleId}`,
    body: () => ({ threshold: 0.7 }),
  },
  'DELETE /api/objects/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ ruleId }) => `/api/objects/${ruleId}`,
  },

  'GET /api/keywords': { expect: signedIn },
  'POST /api/keywords': { expect: [401, 403, 403, 201, 401, 401], body: () => ({ pattern: unique() }) },
  'POST /api/keywords/import': {
    expect: [401, 403, 403, 200, 401, 401],
    body: () => ({ rules: [{ pattern: unique() }] }),
  },
  'POST /api/keywords/test': { expect: signedIn, body: () => ({ text: 'fr33 money' }) },
  'GET /api/keywords/:id': { expect: signedIn, path: ({ keywordId }) => `/api/keywords/${keywordId}` },
  'PATCH /api/keywords/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ keywordId }) => `/api/keywords/${keywordId}`,
    body: () => ({ severity: 'high' }),
  },
  'DELETE /api/keywords/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ keywordId }) => `/api/keywords/${keywordId}`,
  },

  'GET /api/streams/:streamId/zones': { expect: [401, 404, 200, 200, 401, 401], path: streamPath('/zones') },
  'POST /api/streams/:streamId/zones': {
    expect: [401, 403, 403, 201, 401, 401],
    path: streamPath('/zones'),
    body: () => ({ name: unique(), points: TRIANGLE }),
  },
  'GET /api/streams/:streamId/zones/:id': { expect: [401, 404, 200, 200, 401, 401], path: zonePath },
  'PATCH /api/streams/:streamId/zones/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: zonePath,
    body: () => ({ kind: 'exclude' }),
  },
  'DELETE /api/streams/:streamId/zones/:id': { expect: [401, 403, 403, 204, 401, 401], path: zonePath },

  'GET /api/signals': { expect: signedIn },
  'GET /api/signals/:signal': { expect: signedIn, path: () => '/api/signals/dead_air' },
  'PATCH /api/signals/:signal': {
    expect: [401, 403, 403, 200, 401, 401],
    path: () => '/api/signals/dead_air',
    body: () => ({ severity: 'high' }),
  },

  'POST /api/monitoring/stream/:id/start': {
    expect: [401, 404, 202, 202, 401, 401],
    path: streamPath('/start', '/api/monitoring/stream/'),
  },
  'POST /api/monitoring/stream/:id/stop': {
    expect: [401, 404, 202, 202, 401, 401],
    path: streamPath('/stop', '/api/monitoring/stream/'),
  },
  'POST /api/monitoring/restart': { expect: [401, 403, 403, 202, 401, 401] },
  'GET /api/monitor/detection-status/:id': {
    expect: [401, 404, 200, 200, 401, 401],
    path: streamPath('', '/api/monitor/detection-status/'),
  },
  'GET /api/monitor/health': { expect: signedIn },
  'GET /api/detectors': { expect: signedIn },
  'GET /api/monitors': { expect: [401, 403, 403, 200, 401, 401] },

  'POST /api/detect': { expect: signedIn, body: () => ({ text: 'fr33 money' }) },

  'GET /api/detections': { expect: signedIn },
  'GET /api/detections/:id': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}`,
  },
  'PATCH /api/detections/:id': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}`,
    body: () => ({ keep: true }),
  },
  'PUT /api/detections/:id/verdict': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}/verdict`,
    body: () => ({ verdict: 'false', note: 'A poster.' }),
  },
  'GET /api/detections/:id/verdicts': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}/verdicts`,
  },
  'GET /api/detections/:id/image': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}/image`,
  },
  'GET /api/detections/:id/clip': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ detectionId }) => `/api/detections/${detectionId}/clip`,
  },

  'GET /api/transcripts': { expect: signedIn, path: () => '/api/transcripts?q=anything' },
  // Those of another's stream are an empty list.
  'GET /api/streams/:id/transcripts': { expect: signedIn, path: streamPath('/transcripts') },

  'GET /api/service-tokens': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/service-tokens': {
    expect: [401, 403, 403, 201, 401, 401],
    body: () => ({ name: unique(), scopes: ['chat:push'] }),
  },
  'DELETE /api/service-tokens/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ serviceTokenId }) => `/api/service-tokens/${serviceTokenId}`,
  },
  // For service tokens alone, and for what Kick signs.
  'POST /api/streams/:id/chat': {
    expect: [401, 401, 401, 401, 401, 401],
    path: streamPath('/chat'),
    body: () => ({ messages: [{ id: unique(), username: 'a', text: 'b' }] }),
  },
  'POST /api/hooks/kick': { expect: [401, 401, 401, 401, 401, 401], body: () => ({}) },

  'GET /api/conversations': { expect: signedIn },
  'GET /api/messages/unread-count': { expect: signedIn },
  'PUT /api/messages/read': { expect: signedIn, body: () => ({ ids: [randomUUID()] }) },
  'PUT /api/messages/:userId/read': {
    expect: signedIn,
    path: ({ disposableAgentId }) => `/api/messages/${disposableAgentId}/read`,
  },
  'GET /api/messages/:userId': {
    expect: signedIn,
    path: ({ disposableAgentId }) => `/api/messages/${disposableAgentId}`,
  },
  'POST /api/messages/:userId': {
    expect: [401, 201, 201, 201, 401, 401],
    path: ({ disposableAgentId }) => `/api/messages/${disposableAgentId}`,
    body: () => ({ clientId: randomUUID(), body: 'Hello.' }),
  },
  'DELETE /api/messages/:userId': {
    expect: [401, 204, 204, 204, 401, 401],
    path: ({ disposableAgentId }) => `/api/messages/${disposableAgentId}`,
  },
  // Without a file.
  'POST /api/attachments': { expect: [401, 400, 400, 400, 401, 401] },
  // One of a conversation between two others; an admin has no right to it either.
  'GET /api/attachments/:id': {
    expect: [401, 404, 404, 404, 401, 401],
    path: () => `/api/attachments/${randomUUID()}`,
  },
  // For service tokens alone.
  'POST /api/forward-socketio': {
    expect: [401, 401, 401, 401, 401, 401],
    body: ({ streamId }) => ({
      ...{ namespace: '/', event: 'stream_update', room: 'role:admin' },
      payload: { streamId, change: 'updated' },
    }),
  },

  'GET /api/notifications': { expect: signedIn },
  'GET /api/notifications/unread-count': { expect: signedIn },
  'PUT /api/notifications/read-all': { expect: signedIn },
  'GET /api/notifications/forwarded': { expect: signedIn },
  'POST /api/notifications': {
    expect: [401, 403, 403, 201, 401, 401],
    body: () => ({ role: 'agent', title: 'Shift change' }),
  },
  'DELETE /api/notifications': { expect: signedIn },
  'GET /api/notifications/:id': {
    expect: [401, 404, 200, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}`,
  },
  'PATCH /api/notifications/:id': {
    expect: [401, 404, 200, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}`,
    body: () => ({ read: true }),
  },
  'DELETE /api/notifications/:id': {
    expect: [401, 404, 204, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}`,
  },
  'PUT /api/notifications/:id/unread': {
    expect: [401, 404, 200, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}/unread`,
  },
  'POST /api/notifications/:id/acknowledge': {
    expect: [401, 404, 200, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}/acknowledge`,
  },
  'POST /api/notifications/:id/forward': {
    expect: [401, 404, 201, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}/forward`,
    body: ({ agentIds }) => ({ userIds: [agentIds.assigned], note: 'Look.' }),
  },
  'GET /api/notifications/:id/deliveries': {
    expect: [401, 404, 200, 200, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}/deliveries`,
  },
  'GET /api/facts/dead': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/facts/redrive': { expect: [401, 403, 403, 200, 401, 401], body: () => ({}) },
  'GET /api/deliveries/dead': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/deliveries/redrive': {
    expect: [401, 403, 403, 200, 401, 401],
    body: () => ({}),
  },
  // There is none of this id.
  'POST /api/deliveries/:id/retry': {
    expect: [401, 404, 404, 404, 401, 401],
    path: ({ streamId }) => `/api/deliveries/${streamId}/retry`,
  },
  'GET /api/me/telegram': { expect: signedIn },
  // No bot is set up here.
  'PUT /api/me/telegram': { expect: [401, 409, 409, 409, 401, 401] },
  'DELETE /api/me/telegram': { expect: [401, 204, 204, 204, 401, 401] },
  'GET /api/me/notification-preferences': { expect: signedIn },
  'PUT /api/me/notification-preferences': { expect: signedIn, body: () => ({}) },
  'GET /api/silences': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/silences': {
    expect: [401, 403, 403, 201, 401, 401],
    body: ({ streamId }) => ({ streamId, endsAt: inAnHour(), reason: 'A rehearsal.' }),
  },
  'GET /api/silences/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ silenceId }) => `/api/silences/${silenceId}`,
  },
  'PATCH /api/silences/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ silenceId }) => `/api/silences/${silenceId}`,
    body: () => ({ reason: 'A concert.' }),
  },
  'DELETE /api/silences/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ silenceId }) => `/api/silences/${silenceId}`,
  },
  'GET /api/webhooks': { expect: [401, 403, 403, 200, 401, 401] },
  'POST /api/webhooks': {
    expect: [401, 403, 403, 201, 401, 401],
    body: () => ({ url: 'https://example.com/hook', enabled: false }),
  },
  'GET /api/webhooks/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ webhookId }) => `/api/webhooks/${webhookId}`,
  },
  'PATCH /api/webhooks/:id': {
    expect: [401, 403, 403, 200, 401, 401],
    path: ({ webhookId }) => `/api/webhooks/${webhookId}`,
    body: () => ({ enabled: false }),
  },
  'DELETE /api/webhooks/:id': {
    expect: [401, 403, 403, 204, 401, 401],
    path: ({ webhookId }) => `/api/webhooks/${webhookId}`,
  },
  'GET /api/me/webhooks': { expect: signedIn },
  'POST /api/me/webhooks': {
    expect: [401, 201, 201, 201, 401, 401],
    body: () => ({ url: 'https://example.com/hook', enabled: false }),
  },
  // A global one is nobody's own.
  'GET /api/me/webhooks/:id': {
    expect: [401, 404, 404, 404, 401, 401],
    path: ({ webhookId }) => `/api/me/webhooks/${webhookId}`,
  },
  'PATCH /api/me/webhooks/:id': {
    expect: [401, 404, 404, 404, 401, 401],
    path: ({ webhookId }) => `/api/me/webhooks/${webhookId}`,
    body: () => ({ enabled: false }),
  },
  'DELETE /api/me/webhooks/:id': {
    expect: [401, 404, 404, 404, 401, 401],
    path: ({ webhookId }) => `/api/me/webhooks/${webhookId}`,
  },
  // An admin has notifications of its own; those of others are none of its business.
  'PUT /api/notifications/:id/read': {
    expect: [401, 404, 200, 404, 401, 401],
    path: ({ notificationId }) => `/api/notifications/${notificationId}/read`,
  },
};

const Layers = z.array(
  z.object({ route: z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) }).optional() }),
);

describe('the route matrix', () => {
  let api: TestApi;
  let routes: string[];
  let users: Record<Exclude<Actor, 'anonymous'>, string>;
  let adminToken: string;
  /** Global webhooks are few: that of the scene before goes. */
  let lastWebhookId = randomUUID() as string;

  beforeAll(async () => {
    api = await TestApi.start({}, 9);
    routes = Layers.parse(stackOf(api)).flatMap(({ route }) =>
      route === undefined ? [] : methodsOf(route.methods).map((method) => `${method} ${route.path}`),
    );
    users = {
      agent: await api.user('agent', 'agent'),
      assigned: await api.user('assigned', 'agent'),
      admin: await api.user('second-admin', 'admin'),
      disabled: await api.user('disabled', 'admin'),
      expired: await api.user('expired', 'admin'),
    };
    await api.disable(users.disabled);
    // Apart from the admin among the actors, whose sign-ins end when it changes its password.
    adminToken = await api.token(await api.user('maker', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  async function made(path: string, body: unknown): Promise<string> {
    const answer = await api.call('POST', path, adminToken, body);
    expect(answer.status).toBe(201);
    return String(answer.body['id']);
  }

  /** The scene of the request before, unless that request may have changed it. */
  let untouched: Scene | null = null;

  async function makeScene(): Promise<Scene> {
    const streamId = await made('/api/streams', { name: unique(), url: 'https://example.com/live.m3u8' });
    const assignmentId = await made('/api/assignments', { streamId, agentId: users.assigned });
    const ruleId = await made('/api/objects', { label: unique() });
    const keywordId = await made('/api/keywords', { pattern: unique() });
    const zoneId = await made(`/api/streams/${streamId}/zones`, { name: unique(), points: TRIANGLE });
    const serviceTokenId = await made('/api/service-tokens', { name: unique(), scopes: ['chat:push'] });
    let notificationId = '';
    const off = api.events.on('notification.created', ({ userId, notification }) => {
      if (userId === users.assigned) notificationId = notification.id;
    });
    const { id: detectionId } = await api.detect(streamId);
    off();
    const disposableAgentId = await api.user(`d${unique()}`, 'agent');
    const rules = { ruleId, keywordId, zoneId };
    const { sessionId } = await api.app.get(RefreshTokens, { strict: false }).open(users.assigned);
    const invited = await api.call('POST', '/api/auth/invitations', adminToken, {});
    const silenceId = await made('/api/silences', { label: unique(), endsAt: inAnHour(), reason: 'A test.' });
    const webhookId = await made('/api/webhooks', { url: 'https://example.com/hook', enabled: false });
    await api.call('DELETE', `/api/webhooks/${lastWebhookId}`, adminToken);
    lastWebhookId = webhookId;
    return {
      streamId,
      assignmentId,
      ...rules,
      serviceTokenId,
      detectionId,
      notificationId,
      ...{ silenceId, webhookId },
      agentIds: users,
      disposableAgentId,
      sessionId,
      invitationId: String(invited.body['id']),
      invitation: String(invited.body['code']),
    };
  }

  async function tokenOf(actor: Actor): Promise<string | null> {
    if (actor === 'anonymous') return null;
    return api.token(users[actor], actor === 'expired' ? -60 : undefined);
  }

  it('has a row for every route, and no row without one', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect([...new Set(routes)].sort()).toEqual(Object.keys(MATRIX).sort());
  });

  it.each(Object.entries(MATRIX))(
    '%s answers each actor as the table says',
    async (route, row) => {
      const [method = '', pattern = ''] = route.split(' ');
      const answers: Record<string, number> = {};
      for (const actor of ACTORS) {
        const needsScene = row.path !== undefined || row.body !== undefined;
        const current: Scene | null = needsScene ? (untouched ?? (await makeScene())) : null;
        const path = current === null || row.path === undefined ? pattern : row.path(current);
        const body = current === null ? undefined : row.body?.(current);
        const answer = await api.call(method === 'ALL' ? 'DELETE' : method, path, await tokenOf(actor), body);
        answers[actor] = answer.status;
        if (answer.status < 400 && method !== 'GET') untouched = null;
        else untouched = current ?? untouched;
        if (answer.status >= 400 && pattern.startsWith('/api/')) {
          expect(answer.headers.get('content-type')).toContain('application/problem+json');
          expect(answer.body).toMatchObject({ status: answer.status, code: expect.any(String) as string });
        }
      }
      expect(answers).toEqual(Object.fromEntries(ACTORS.map((actor, index) => [actor, row.expect[index]])));
    },
    30_000,
  );

  it('refuses a route that nobody thought of, whoever asks', async () => {
    for (const actor of ACTORS) {
      const answer = await api.call('GET', '/api/nothing-here', await tokenOf(actor));
      expect(answer.status).toBe(404);
      expect(answer.body['code']).toBe('request.not_found');
    }
  });
});

/** One entry for a route that takes every method. */
function methodsOf(methods: Readonly<Record<string, boolean>>): string[] {
  const names = Object.keys(methods).map((name) => name.toUpperCase());
  return names.length === METHODS.length ? ['ALL'] : names;
}

/** Express keeps its routes in an untyped property of the function that it is. */
function stackOf(api: TestApi): unknown {
  const router: unknown = Reflect.get(api.app.getHttpAdapter().getInstance() as object, 'router');
  return Reflect.get(router as object, 'stack');
}
