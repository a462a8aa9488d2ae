import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { EVIDENCE_STORE } from '../detections/detections.service.js';
import type { TestApi } from '../test-api.fixture.js';
import type { ApiDocument, ApiOperation } from './operations.fixture.js';

export const ACTORS = ['admin', 'agent', 'anonymous'] as const;
export type Actor = (typeof ACTORS)[number];

const name = (): string => randomUUID().slice(0, 13);
const CORNERS = [
  [0, 0],
  [1, 0],
  [0, 1],
];

const IMAGE = sharp({ create: { width: 64, height: 36, channels: 3, background: 'gray' } })
  .jpeg()
  .toBuffer();

/** One thing of each kind, and who may ask for it: made anew for each operation, which may destroy it. */
export class World {
  private constructor(
    private readonly api: TestApi,
    /** Ids by the segment of the path that they come after. */
    readonly ids: ReadonlyMap<string, string>,
    private readonly tokens: Record<Actor, string | null>,
    private readonly serviceToken: string,
  ) {}

  static async make(api: TestApi, maker: string): Promise<World> {
    const agentId = await api.user(`a${name()}`, 'agent');
    const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
      const answer = await api.call('POST', path, maker, body);
      if (answer.status !== 201)
        throw new Error(`POST ${path}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const id = async (path: string, body: unknown): Promise<string> => String((await post(path, body))['id']);
    const streamId = await id('/api/streams', { name: name(), url: 'https://example.com/live.m3u8' });
    const assignmentId = await id('/api/assignments', { streamId, agentId });
    let notificationId = '';
    const off = api.events.on('notification.created', ({ userId, notification }) => {
      if (userId === agentId) notificationId = notification.id;
    });
    const detection = await api.detect(streamId);
    off();
    await api.app
      .get<EvidenceStore>(EVIDENCE_STORE, { strict: false })
      .put(`detections/${streamId}/${detection.id}.jpg`, await IMAGE);
    const service = await post('/api/service-tokens', { name: name(), scopes: ['chat:push', 'sockets:forward'] });
    const tokens = {
      admin: await api.token(await api.user(`b${name()}`, 'admin')),
      agent: await api.token(agentId),
      anonymous: null,
    };
    const bySegment = new Map([
      ...['streams', 'stream', 'detection-status'].map((segment) => [segment, streamId] as const),
      ['assignments', assignmentId],
      ['agents', agentId],
      ['detections', detection.id],
      ['notifications', notificationId],
      ['service-tokens', String(service['id'])],
      ['objects', await id('/api/objects', { label: name() })],
      ['keywords', await id('/api/keywords', { pattern: name() })],
      ['zones', await id(`/api/streams/${streamId}/zones`, { name: name(), points: CORNERS })],
      ['invitations', await id('/api/auth/invitations', {})],
      ['signals', 'dead_air'],
    ]);
    return new World(api, bySegment, tokens, String(service['token']));
  }

  tokenOf(actor: Actor): string | null {
    return this.tokens[actor];
  }

  /** The token to ask an operation with: where those of services are wanted, an admin comes with one. */
  tokenFor({ security }: ApiOperation, actor: Actor): string | null {
    const service = security.some((scheme) => 'service' in scheme);
    return service && actor === 'admin' ? this.serviceToken : this.tokens[actor];
  }

  /** A new user in the place of one whose sign-in has ended. */
  async renew(actor: Actor): Promise<void> {
    if (actor === 'anonymous') return;
    this.tokens[actor] = await this.api.token(await this.api.user(`r${name()}`, actor));
  }

  /** Ids that make sense as parameters of an operation's path: of things that are there, some seen in lists. */
  async idsFor(document: ApiDocument, { path }: ApiOperation): Promise<Map<string, string[]>> {
    const pools = new Map<string, string[]>();
    let prefix = '';
    for (const segment of path.split('/').slice(1)) {
      const parameter = /^\{(.+)\}$/.exec(segment)?.[1];
      if (parameter === undefined) {
        prefix += `/${segment}`;
        continue;
      }
      const known = this.ids.get(prefix.slice(prefix.lastIndexOf('/') + 1));
      const template = path.slice(0, path.indexOf(`/{${parameter}}`));
      const listed = document.paths[template]?.['get'] === undefined ? [] : await this.listed(prefix);
      const pool = [...(known === undefined ? [] : [known]), ...listed];
      pools.set(parameter, pool);
      prefix += `/${pool[0] ?? randomUUID()}`;
    }
    return pools;
  }

  private async listed(path: string): Promise<string[]> {
    const ids: string[] = [];
    for (const actor of ['admin', 'agent'] as const) {
      const { status, body } = await this.api.call('GET', path, this.tokens[actor]);
      if (status !== 200 || !Array.isArray(body['items'])) continue;
      for (const item of body['items'].slice(0, 5) as unknown[]) {
        const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
        if (typeof id === 'string') ids.push(id);
      }
    }
    return ids;
  }
}
