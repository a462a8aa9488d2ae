import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { ConfigError, parseSettings } from '#libs/config/settings.js';
import { ProxyLine } from './proxy-endpoint.js';
import { loadProxyPlan, type ProxyPlan } from './proxy-list.js';

const SECRET = 'hunter2-very-secret';

describe('ProxyLine', () => {
  it.each([
    ['proxy.test:8080', 'http', 'proxy.test:8080', null],
    ['http://proxy.test:80', 'http', 'proxy.test:80', null],
    ['https://proxy.test:443/', 'https', 'proxy.test:443', null],
    ['HTTP://PROXY.test:3128', 'http', 'proxy.test:3128', null],
    ['socks5://10.0.0.1:1080', 'socks5', '10.0.0.1:1080', null],
    ['socks5h://[2001:db8::1]:1080', 'socks5', '[2001:db8::1]:1080', null],
    ['http://u:p@h:1', 'http', 'h:1', { user: 'u', password: 'p' }],
    ['http://u%40x:p%3A%2Cq@h:1', 'http', 'h:1', { user: 'u@x', password: 'p:,q' }],
    ['u:p@with@h:1', 'http', 'h:1', { user: 'u', password: 'p@with' }],
    ['socks5://u@h:1', 'socks5', 'h:1', { user: 'u', password: '' }],
  ])('takes %s', (text, scheme, name, credentials) => {
    const endpoint = ProxyLine.parse(text);
    expect([endpoint.scheme, endpoint.name, endpoint.credentials()]).toEqual([scheme, name, credentials]);
  });

  it.each([
    'proxy.test',
    'proxy.test:0',
    'proxy.test:65536',
    'ftp://proxy.test:21',
    'http://proxy.test:80/path',
    'h:1:u:p',
    'two words:80',
    'http://a%:b@h:1',
    `http://u:${'x'.repeat(256)}@h:1`,
    'http://u%3Av:p@h:1',
    'http://u%0d%0aX:p@h:1',
    'http://[::g]:1',
    '',
  ])('refuses %p', (text) => {
    expect(ProxyLine.safeParse(text).success).toBe(false);
  });

  it('shows no credentials when it is written out', () => {
    const endpoint = ProxyLine.parse(`http://somebody:${SECRET}@h:1`);
    for (const text of [
      JSON.stringify({ endpoint }),
      inspect(endpoint, { depth: 9, showHidden: true }),
      `${endpoint.name}`,
    ]) {
      expect(text).not.toMatch(/somebody|hunter2/);
    }
  });
});

describe('loadProxyPlan', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-proxies-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const load = (env: Record<string, string>): Promise<ProxyPlan> => {
    const parsed = parseSettings(monitorSettings, env);
    return loadProxyPlan(parsed, directory);
  };
  const faultsOf = async (env: Record<string, string>): Promise<readonly string[]> =>
    load(env).then(
      () => [],
      (error: unknown) => (error instanceof ConfigError ? error.faults : [String(error)]),
    );

  it('has no proxies when nothing is said', async () => {
    expect(await load({})).toEqual({ endpoints: [], platforms: new Set(), checkUrl: null });
  });

  it('reads the file of the working directory and the environment, comments left out', async () => {
    await writeFile(join(directory, 'proxies.txt'), '\uFEFF# ours\r\n\r\nhttp://u:p#1@a:1 # paid\r\n  b:2  \n');
    const plan = await load({ PROXIES: 'socks5://c:3, d:4', PROXY_PLATFORMS: 'twitch, kick' });
    expect(plan.endpoints.map(({ name }) => name)).toEqual(['a:1', 'b:2', 'c:3', 'd:4']);
    expect(plan.endpoints[0]?.credentials()).toEqual({ user: 'u', password: 'p#1' });
    expect([...plan.platforms]).toEqual(['twitch', 'kick']);
  });

  it('names every bad line by its number and repeats nothing of it', async () => {
    const lines = [`http://u:${SECRET}@good:1`, `http://u:${SECRET}@bad`, '# x', `ftp://u:${SECRET}@bad:1`, 'h:0'];
    await writeFile(join(directory, 'mine.txt'), [...lines, lines[0]].join('\n'));
    const faults = await faultsOf({ PROXIES_FILE: 'mine.txt', PROXIES: `good:1,u:${SECRET}%` });
    expect(faults.map((fault) => fault.split(/ is /)[0])).toEqual([
      ...['mine.txt line 2', 'mine.txt line 4', 'mine.txt line 5', 'mine.txt line 6', 'PROXIES entry 2'],
    ]);
    expect(faults.join()).not.toContain('hunter2');
  });

  it('says that a named file is missing, that there is nothing to go through, and that there are too many', async () => {
    expect(await faultsOf({ PROXIES_FILE: 'none.txt' })).toEqual([expect.stringContaining('none.txt cannot be read')]);
    expect(await faultsOf({ PROXY_PLATFORMS: 'twitch' })).toEqual([expect.stringContaining('there are no proxies')]);
    await writeFile(join(directory, 'proxies.txt'), Array.from({ length: 1_001 }, (_, i) => `h${i}:1`).join('\n'));
    expect(await faultsOf({})).toEqual([expect.stringContaining('at most 1000')]);
    await writeFile(join(directory, 'proxies.txt'), 'x\n'.repeat(1_000));
    expect(await faultsOf({})).toHaveLength(51);
  });
});
