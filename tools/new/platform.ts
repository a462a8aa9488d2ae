import { appended, imported, namesOf, type Plan } from './scaffold.js';

const ROOM = 'apps/monitor/src/platforms';

/** A platform that asks its site for a record of a channel, as Kick's does; the answers are made up. */
export function platformPlan(id: string): Plan {
  const { camel, pascal, title } = namesOf(id);
  const registry = `${ROOM}/registry.ts`;
  const conformance = `${ROOM}/conformance.spec.ts`;
  const server = `${camel}Site`;
  const folder = `${ROOM}/${id}`;
  return {
    folder,
    files: {
      [`${folder}/${id}.platform.ts`]: adapter(id, pascal, title),
      [`${folder}/${id}.platform.spec.ts`]: spec(id, pascal),
      [`libs/testing/platform-${id}-server.ts`]: standIn(pascal, title),
    },
    edits: [
      imported(registry, `import { ${pascal}Platform } from './${id}/${id}.platform.js';`),
      appended(registry, /export interface PlatformServers \{/, `${server}: string;`),
      appended(registry, /PUBLIC_PLATFORM_SERVERS: PlatformServers = \{/, `${server}: 'https://${id}.example/',`),
      appended(
        registry,
        /const sites: readonly Platform\[\] = \[/,
        `new ${pascal}Platform({ siteUrl: servers.${server} }),`,
      ),
      appended(conformance, /const ADDRESSES: [^=]*= \{/, `'${id}': ['https://${id}.example/somebody'],`),
      appended(conformance, /servers: \{/, `${server}: url,`),
    ],
    next: `It asks https://${id}.example/, which does not exist. docs/adding-a-platform.md says what to make of it.`,
  };
}

const adapter = (id: string, pascal: string, title: string): string => `import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { expiryOf } from '../expiry.js';
import { withRendition } from '../master-playlist.js';
import { isIn, pageAddress } from '../page-address.js';
import { PlatformError, type Platform, type Playback, type WayOut } from '../platform.port.js';
import { ask, assertAnswered, notAddress, parseAnswer } from '../site-answer.js';

/** Where ${title} is. */
export interface ${pascal}Options {
  /** \`https://${id}.example/\` */
  siteUrl: string;
}

const SITE = '${title}';
const DOMAIN = '${id}.example';

/** What is used of the site's answer. */
const Channel = z.object({
  live: z.boolean(),
  playlist: z
    .url({ protocol: /^https?$/ })
    .max(8_192)
    .nullable(),
});

/** Resolves channels of ${title}. */
export class ${pascal}Platform implements Platform {
  readonly descriptor: AdapterDescriptor = { id: '${id}', title: SITE, options: {} };
  readonly domains = [DOMAIN];

  constructor(private readonly options: ${pascal}Options) {}

  async resolve(text: string, signal: AbortSignal, lane: WayOut): Promise<Playback> {
    const name = nameOf(text);
    const url = new URL(\`api/channels/\${name}\`, this.options.siteUrl).href;
    const response = await ask({ url, site: SITE, headers: { accept: 'application/json' } }, lane, signal);
    assertAnswered(response, SITE);
    const { live, playlist } = parseAnswer(response, Channel, SITE);
    if (!live || playlist === null) throw PlatformError.of('offline', \`\${name} is not live on \${SITE}.\`);
    const master: Playback = {
      ...{ url: playlist, headers: {}, pace: 'live', container: 'hls' },
      expiresAt: expiryOf(playlist),
    };
    return withRendition(master, SITE, lane, signal);
  }
}

function nameOf(text: string): string {
  const url = pageAddress(text);
  const name = url !== null && isIn(url.hostname, DOMAIN) ? (url.pathname.split('/')[1] ?? '') : text;
  if (!/^[a-z0-9_][a-z0-9_-]{0,49}$/i.test(name)) throw notAddress(SITE, \`https://\${DOMAIN}/channel\`);
  return name;
}
`;

const spec = (
  id: string,
  pascal: string,
): string => `import { ${pascal}StandIn, type ${pascal}Mood } from '#libs/testing/platform-${id}-server.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { PlatformError, Playback } from '../platform.port.js';
import { ${pascal}Platform } from './${id}.platform.js';

describe('${pascal}Platform', () => {
  let stand: ${pascal}StandIn;
  let proxy: EgressProxy;
  let lane: EgressLane;

  beforeAll(async () => {
    stand = await ${pascal}StandIn.start();
    proxy = await EgressProxy.start({ allow: [stand.origin.host] });
    lane = await proxy.open('stream');
  });
  afterAll(async () => {
    await proxy.stop();
    await stand.stop();
  });
  const resolve = (text: string): Promise<Playback> =>
    new ${pascal}Platform({ siteUrl: stand.url }).resolve(text, new AbortController().signal, lane);

  it.each(['https://${id}.example/somebody', 'www.${id}.example/somebody', 'somebody'])('plays %p', async (text) => {
    stand.mood = 'live';
    expect(await resolve(text)).toMatchObject({ url: stand.origin.url('/720p.m3u8'), pace: 'live', expiresAt: null });
    expect(stand.origin.requests.at(-2)).toBe('/api/channels/somebody');
  });

  it.each<[${pascal}Mood, PlatformError['outcome']]>([
    ['offline', 'offline'],
    ['unknown', 'gone'],
    ['forbidden', 'blocked'],
    ['garbled', 'changed'],
  ])('takes the answer %s for %s', async (mood, outcome) => {
    stand.mood = mood;
    await expect(resolve('somebody')).rejects.toMatchObject({ outcome });
  });

  it.each(['https://${id}.example/', 'https://evil.test/a', '../x', 'a b'])(
    'does not take %p for a channel',
    async (text) => {
      await expect(resolve(text)).rejects.toMatchObject({ reason: 'unsupported_scheme' });
    },
  );
});
`;

const standIn = (pascal: string, title: string): string => `import type { ServerResponse } from 'node:http';
import { HlsOrigin, masterPlaylist } from './hls-origin.js';

/** How the stand-in is to answer. */
export type ${pascal}Mood = 'live' | 'offline' | 'unknown' | 'forbidden' | 'garbled';

/**
 * A stand-in on loopback for the site of ${title}. Its answers are made up until somebody writes down what the site was
 * seen to answer; it is no proof of ${title}.
 */
export class ${pascal}StandIn {
  mood: ${pascal}Mood = 'live';

  private constructor(readonly origin: HlsOrigin) {
    origin.text('/master.m3u8', masterPlaylist([1440, 720, 360]));
  }

  static async start(): Promise<${pascal}StandIn> {
    const stand = new ${pascal}StandIn(await HlsOrigin.start());
    stand.origin.on('/api/channels/*', (_request, response) => stand.answer(response));
    return stand;
  }

  get url(): string {
    return this.origin.url('/');
  }

  stop(): Promise<void> {
    return this.origin.stop();
  }

  private answer(response: ServerResponse): void {
    if (this.mood === 'unknown') response.writeHead(404).end();
    else if (this.mood === 'forbidden') response.writeHead(403).end();
    else if (this.mood === 'garbled') response.end('<html>');
    else {
      const live = this.mood === 'live';
      response.end(JSON.stringify({ live, playlist: live ? this.origin.url('/master.m3u8') : null }));
    }
  }
}
`;
