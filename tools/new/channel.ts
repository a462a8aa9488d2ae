import { appended, imported, namesOf, type Plan } from './scaffold.js';

const ROOM = 'apps/api/src/notifications/channels';

/** A channel that posts JSON to an address of its receiver's; the payload is made up. */
export function channelPlan(id: string): Plan {
  const { camel, pascal, title } = namesOf(id);
  const registry = `${ROOM}/registry.ts`;
  const folder = `${ROOM}/${id}`;
  return {
    folder,
    files: {
      [`${folder}/${id}.channel.ts`]: adapter(id, camel, pascal, title),
      [`${folder}/${id}.channel.spec.ts`]: spec(id, camel, pascal),
      [`libs/testing/channel-${id}-server.ts`]: standIn(pascal, title),
    },
    edits: [
      imported(registry, `import { ${camel}Channel } from './${id}/${id}.channel.js';`),
      appended(registry, /export const registry: .* = \[/, `${camel}Channel,`),
      {
        path: `${ROOM}/channel.port.ts`,
        change: (text) => {
          const changed = text.replace(/(readonly id: [^;]+);/, `$1 | '${id}';`);
          return changed === text ? null : changed;
        },
      },
    ],
    next: 'Nobody is told anything over it yet: docs/adding-a-channel.md says how people come to be, and what to make of it.',
  };
}

const adapter = (id: string, camel: string, pascal: string, title: string): string => `import { z } from 'zod';
import type { ApiSettings } from '../../../runtime.module.js';
import { DeliveryFault, type Channel } from '../channel.port.js';
import { retryAfterMs } from '../retry-after.js';
import { allowListOf, GuardedPost } from '../webhook/guarded-post.js';

const ${pascal}Target = z.object({ url: z.url({ protocol: /^https?$/ }) });

/** Posts to ${title}. */
export function ${camel}Channel({ WEBHOOK_ALLOW }: Pick<ApiSettings, 'WEBHOOK_ALLOW'>): Channel {
  const posts = new GuardedPost(allowListOf(WEBHOOK_ALLOW));
  return {
    id: '${id}',
    title: '${title}',
    target: ${pascal}Target,
    concurrency: 5,
    works: true,
    holdOf: (target) => \`${id} \${new URL(${pascal}Target.parse(target).url).host}\`,
    close: () => undefined,
    async send({ id, title, body, severity, link }, target, signal) {
      const { url } = ${pascal}Target.parse(target);
      const headers = { 'content-type': 'application/json', 'idempotency-key': id };
      const text = JSON.stringify({ text: \`[\${severity}] \${title}\\n\${body}\`, link });
      const { status, retryAfter } = await posts.post(url, text, headers, signal);
      if (status >= 200 && status < 300) return '';
      const wait = status === 429 || status === 503 ? retryAfterMs(retryAfter, Date.now()) : null;
      const permanent = status >= 400 && status < 500 && status !== 408 && status !== 429;
      throw new DeliveryFault(\`${title} answered \${String(status)}.\`, permanent, wait, status === 410);
    },
  };
}
`;

const spec = (
  id: string,
  camel: string,
  pascal: string,
): string => `import { ${pascal}StandIn, type ${pascal}Mood } from '#libs/testing/channel-${id}-server.js';
import type { ChannelMessage } from '../channel.port.js';
import { ${camel}Channel } from './${id}.channel.js';

const message: ChannelMessage = {
  ...{ id: 'delivery-1', title: 'A dog', body: 'on the sofa', severity: 'high' },
  ...{ items: [], image: null, acknowledgedBy: null, traceparent: null, link: null },
};

describe('${camel}Channel', () => {
  let stand: ${pascal}StandIn;
  beforeAll(async () => {
    stand = await ${pascal}StandIn.start();
  });
  afterAll(() => stand.stop());

  const send = (mood: ${pascal}Mood, signal = AbortSignal.timeout(30_000)): Promise<string> => {
    stand.mood = mood;
    return ${camel}Channel({ WEBHOOK_ALLOW: stand.place }).send(message, { url: stand.url }, signal);
  };

  it('says what there is to say, with the id by which a double is told', async () => {
    await send('takes');
    expect(stand.calls.at(-1)).toEqual({ key: 'delivery-1', body: { text: '[high] A dog\\non the sofa', link: null } });
  });

  it.each<[${pascal}Mood, object]>([
    ['refuses', { permanent: true }],
    ['fails', { permanent: false, retryAfterMs: null }],
    ['wants a pause', { permanent: false, retryAfterMs: 7_000 }],
    ['is gone', { permanent: true, gone: true }],
    ['cuts', { permanent: false }],
  ])('takes a receiver that %s for what it is', async (mood, fault) => {
    await expect(send(mood)).rejects.toMatchObject({ name: 'DeliveryFault', ...fault });
  });

  it('does not wait for ever', async () => {
    await expect(send('keeps silent', AbortSignal.timeout(200))).rejects.toMatchObject({ permanent: false });
  });

  it('goes nowhere that it must not', async () => {
    const before = stand.calls.length;
    const { signal } = new AbortController();
    const sent = ${camel}Channel({ WEBHOOK_ALLOW: '' }).send(message, { url: stand.url }, signal);
    await expect(sent).rejects.toMatchObject({ name: 'DeliveryFault' });
    expect(stand.calls).toHaveLength(before);
  });
});
`;

const standIn = (
  pascal: string,
  title: string,
): string => `import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the stand-in is to answer. */
export type ${pascal}Mood = 'takes' | 'refuses' | 'fails' | 'wants a pause' | 'is gone' | 'cuts' | 'keeps silent';

const STATUS: Readonly<Partial<Record<${pascal}Mood, number>>> = {
  ...{ takes: 204, refuses: 400, fails: 500, 'wants a pause': 429, 'is gone': 410 },
};

/** A stand-in on loopback for ${title}. What it takes is made up; it is no proof of ${title}. */
export class ${pascal}StandIn {
  mood: ${pascal}Mood = 'takes';
  readonly calls: { key: unknown; body: unknown }[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<${pascal}StandIn> {
    const server = createServer();
    const stand = new ${pascal}StandIn(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        stand.calls.push({ key: request.headers['idempotency-key'], body });
        stand.answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return stand;
  }

  /** \`host:port\`. */
  get place(): string {
    return \`127.0.0.1:\${String((this.server.address() as AddressInfo).port)}\`;
  }

  get url(): string {
    return \`http://\${this.place}/\`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(response: ServerResponse): void {
    const status = STATUS[this.mood];
    if (this.mood === 'cuts') response.destroy();
    else if (status !== undefined) response.writeHead(status, status === 429 ? { 'retry-after': '7' } : {}).end();
  }
}
`;
