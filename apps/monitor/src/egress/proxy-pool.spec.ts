import { ProxyEndpoint } from './proxy-endpoint.js';
import { ProxyHealth } from './proxy-health.js';
import { ProxyPool } from './proxy-pool.js';
import { Canary } from '#libs/testing/hls-origin.js';
import { HttpProxyServer } from '#libs/testing/proxy-http-server.js';
import { SocksProxyServer } from '#libs/testing/proxy-socks-server.js';

const TIMEOUT_MS = 5_000;

describe('a proxy that is watched', () => {
  it('is benched by a failure of its own, longer each time, never twice for one try', () => {
    const health = new ProxyHealth(() => 0.5);
    health.failed(0, 'x', 0);
    expect([health.benched(4_999), health.benched(5_000)]).toEqual([true, false]);
    health.failed(1_000, 'x', 0);
    expect(health.benched(5_000)).toBe(false);
    health.failed(5_000, 'x', health.era);
    expect([health.benched(14_999), health.benched(15_000)]).toEqual([true, false]);
    for (let i = 0; i < 40; i += 1) health.failed(20_000, 'x', health.era);
    expect(health.benchedUntil).toBe(20_000 + 300_000);
    health.succeeded(400_000);
    health.failed(500_000, 'x', health.era);
    expect(health.benchedUntil).toBe(505_000);
  });

  it('spreads the way back over the whole pause, and is never benched for nothing', () => {
    const first = (chance: number): number => {
      const health = new ProxyHealth(() => chance);
      health.failed(0, 'x', 0);
      return health.benchedUntil;
    };
    expect([0, 0.25, 0.999].map(first)).toEqual([1_000, 2_500, 9_990]);
  });

  it('is benched for what may be the fault of a destination only when two streams met it', () => {
    const health = new ProxyHealth(() => 1);
    for (let i = 0; i < 10; i += 1) health.blamed(0, 'x', 'a', health.era);
    expect(health.benched(0)).toBe(false);
    health.blamed(0, 'x', 'b', health.era);
    expect(health.benched(0)).toBe(true);
  });

  it('weighs less while it fails and its full weight when that is long ago', () => {
    const health = new ProxyHealth(() => 0);
    expect(health.weight(0)).toBe(1);
    health.failed(0, 'x', 0);
    expect(health.weight(0)).toBe(0.5);
    for (let i = 0; i < 5; i += 1) health.failed(0, 'x', 0);
    expect(health.weight(0)).toBe(0.25);
    expect(health.weight(10 * 3_600_000)).toBe(1);
    for (let i = 0; i < 30; i += 1) health.succeeded(1);
    expect(health.weight(1)).toBe(1);
  });
});

describe('ProxyPool', () => {
  let proxies: HttpProxyServer[];
  let socks: SocksProxyServer;
  let target: Canary;
  let port = 0;
  let now = 0;
  let chance = 0.5;
  const signal = new AbortController().signal;

  beforeEach(async () => {
    [now, chance] = [1_000_000, 0.5];
    target = await Canary.start();
    port = target.port;
    proxies = await Promise.all(Array.from({ length: 3 }, () => HttpProxyServer.start()));
    socks = await SocksProxyServer.start();
  });
  afterEach(async () => {
    await Promise.all([...proxies, socks, target].map((server) => server.stop()));
  });

  function poolOf(...ports: number[]): ProxyPool {
    const endpoints = ports.map((port) => new ProxyEndpoint('http', '127.0.0.1', port, null));
    return new ProxyPool({
      endpoints,
      resolve: () => Promise.reject(new Error('none')),
      now: () => now,
      random: () => chance,
    });
  }

  async function go(pool: ProxyPool, streamId: string, addresses = ['127.0.0.1']): Promise<string> {
    const route = pool.routeOf(streamId);
    try {
      const socket = await route.connect(addresses, port, TIMEOUT_MS, signal);
      socket.on('error', () => undefined).destroy();
      return pool
        .reports()
        .findIndex(({ streams }) => streams === 1)
        .toString();
    } catch (error) {
      return (error as Error).message;
    } finally {
      route.close();
    }
  }

  const ids = Array.from({ length: 40 }, (_, index) => `stream-${index}`);
  async function spread(pool: ProxyPool): Promise<string[]> {
    const seen: string[] = [];
    for (const id of ids) seen.push(await go(pool, id));
    return seen;
  }

  it('keeps each stream at its proxy, and a bench moves only the streams of that proxy, which come back', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    const before = await spread(pool);
    for (const index of ['0', '1', '2']) expect(before.filter((it) => it === index).length).toBeGreaterThan(3);
    expect(await spread(pool)).toEqual(before);
    expect(await spread(poolOf(...proxies.map(({ port }) => port)))).toEqual(before);

    const health = pool.proxies[1]?.health;
    health?.failed(now, 'x', health.era);
    const during = await spread(pool);
    expect(during).not.toContain('1');
    during.forEach((it, index) => {
      if (before[index] !== '1') expect(it).toBe(before[index]);
    });
    expect(pool.reports()[1]).toMatchObject({ state: 'benched', benchedUntil: now + 5_000, lastError: 'x' });

    now += 5_000;
    expect(pool.reports()[1]).toMatchObject({ state: 'healthy', benchedUntil: null });
    expect(await spread(pool)).toEqual(before);
  });

  it('goes on to the next proxy when one is dead, three at most, and benches the dead', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    const first = Number(await go(pool, 'a'));
    await proxies[first]?.stop();
    expect(['0', '1', '2'].filter((it) => it !== String(first))).toContain(await go(pool, 'a'));
    expect(pool.reports()[first]).toMatchObject({
      ...{ state: 'benched', successes: 1, failures: 1, lastError: 'the proxy cannot be reached (ECONNREFUSED)' },
    });
    const asked = (): number => proxies.reduce((sum, { asked }) => sum + asked.length, 0);
    const before = asked();
    await go(pool, 'a');
    expect(asked()).toBe(before + 1);
  });

  it('tries no more than three proxies for one connection', async () => {
    const more = await Promise.all(Array.from({ length: 3 }, () => HttpProxyServer.start()));
    const all = [...proxies, ...more];
    for (const proxy of all) proxy.mood = 'refuses';
    const pool = poolOf(...all.map(({ port }) => port));
    expect(await go(pool, 'a')).toMatch(/cannot be reached through the upstream proxy #\d .*makes no tunnel \(502\)/);
    expect(all.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(3);
    await Promise.all(more.map((server) => server.stop()));
  });

  it('does not bench the proxies for a destination that is down', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    await target.stop();
    for (const id of ids) expect(await go(pool, id)).toContain('(502)');
    expect(pool.reports().map(({ state, failures }) => [state, failures])).toEqual(Array(3).fill(['healthy', 0]));
    target = await Canary.start();
  });

  it('benches a proxy that gets nobody anywhere while others do', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    const before = await spread(pool);
    const [bad] = proxies;
    if (bad !== undefined) bad.mood = 'refuses';
    const [one = '', other = ''] = ids.filter((_, index) => before[index] === '0');
    expect(await go(pool, one)).not.toBe('0');
    expect(pool.reports()[0]).toMatchObject({ state: 'healthy', failures: 1 });
    expect(await go(pool, other)).not.toBe('0');
    expect(pool.reports()[0]).toMatchObject({ state: 'benched', failures: 2 });
  });

  it('fails with a clear reason when all are benched, never goes out directly, and probes one at a time', async () => {
    for (const proxy of proxies) await proxy.stop();
    const pool = poolOf(...proxies.map(({ port }) => port));
    expect(await go(pool, 'a')).toContain('the proxy cannot be reached (ECONNREFUSED)');
    expect(pool.reports().map(({ state }) => state)).toEqual(['benched', 'benched', 'benched']);
    const probes = await Promise.all([go(pool, 'a'), go(pool, 'b'), go(pool, 'c')]);
    expect(probes.filter((it) => it.includes('ECONNREFUSED'))).toHaveLength(1);
    expect(probes.filter((it) => it.includes('All 3 upstream proxies are benched'))).toHaveLength(2);
    expect(await go(pool, 'a')).toContain('All 3 upstream proxies are benched');
    expect(
      pool
        .reports()
        .map(({ failures }) => failures)
        .sort(),
    ).toEqual([1, 1, 2]);
    expect(target.connections).toBe(0);
    proxies = [];
  });

  it('takes the one benched for the longest as the probe, and has it back when it works', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    chance = 1;
    for (const index of [2, 0, 1]) {
      const health = pool.proxies[index]?.health;
      health?.failed((now += 10), 'x', health.era);
    }
    expect(await go(pool, 'a')).toBe('2');
    expect(pool.reports().map(({ state }) => state)).toEqual(['benched', 'benched', 'healthy']);
    expect(await go(pool, 'b')).toBe('2');
  });

  it.each(['hangs', 'gibberish'] as const)('goes on when a proxy %s', async (mood) => {
    const [bad, good] = proxies;
    if (bad === undefined || good === undefined) throw new Error('no proxies');
    bad.mood = mood;
    const pool = poolOf(bad.port, good.port);
    for (const streamId of ids.slice(0, 4)) {
      const other = pool.routeOf(streamId);
      (await other.connect(['127.0.0.1'], port, 1_000, signal)).destroy();
      other.close();
    }
    expect(pool.reports()[1]?.successes).toBe(4);
    expect(pool.reports()[0]).toMatchObject({ successes: 0 });
  });

  it('tells wrong credentials for what they are, by http and by SOCKS5, and names none', async () => {
    const [closed, locked] = await Promise.all([HttpProxyServer.start('u:right'), SocksProxyServer.start('u:right')]);
    for (const [scheme, port] of [
      ['http', closed.port],
      ['socks5', locked.port],
    ] as const) {
      for (const credentials of [null, { user: 'u', password: 'hunter2' }]) {
        const endpoints = [new ProxyEndpoint(scheme, '127.0.0.1', port, credentials)];
        const resolve = (): Promise<string[]> => Promise.resolve([]);
        const pool = new ProxyPool({ endpoints, resolve, now: () => now, random: () => chance });
        expect(await go(pool, 'a')).toMatch(/the proxy refuses our credentials/);
        expect(pool.reports()[0]).toMatchObject({ state: 'benched' });
        expect(JSON.stringify([pool.reports(), pool.proxies])).not.toContain('hunter2');
      }
    }
    await Promise.all([closed.stop(), locked.stop()]);
  });

  it('asks the proxy for the IPv4 address first, and for the next after two proxies failed at it', async () => {
    const pool = poolOf(...proxies.map(({ port }) => port));
    for (const proxy of proxies) proxy.mood = 'refuses';
    await go(pool, 'a', ['2606:4700::1', '192.0.2.7']);
    expect(proxies.flatMap(({ asked }) => asked).sort()).toEqual(
      [`192.0.2.7:${port}`, `192.0.2.7:${port}`, `[2606:4700::1]:${port}`].sort(),
    );
  });

  it('speaks SOCKS5 to addresses of both kinds, and names what the proxy answers', async () => {
    const endpoints = [new ProxyEndpoint('socks5', '127.0.0.1', socks.port, { user: 'u', password: 'p' })];
    const resolve = (): Promise<string[]> => Promise.resolve([]);
    const pool = new ProxyPool({ endpoints, resolve, now: () => now, random: () => chance });
    expect(await go(pool, 'a')).toBe('0');
    socks.mood = 'refuses';
    expect(await go(pool, 'a', ['2606:4700::1'])).toContain('the proxy makes no tunnel (ConnectionRefused)');
    expect(socks.asked).toEqual([`127.0.0.1:${port}`, `[2606:4700:0:0:0:0:0:1]:${port}`]);
    expect(socks.names).toEqual([]);
    socks.mood = 'gibberish';
    expect(await go(pool, 'a')).toContain('the proxy does not speak the protocol');
  });

  it('knows the addresses of proxies that are given by name', async () => {
    const endpoints = [new ProxyEndpoint('http', 'proxy.test', 8080, null)];
    const resolve = (): Promise<string[]> => Promise.resolve(['203.0.113.5', '2001:db8::5']);
    const pool = new ProxyPool({ endpoints, resolve, now: () => now, random: () => chance });
    await pool.learn();
    const entries = ['proxy.test:8080', '203.0.113.5:8080', '[2001:db8::5]:8080', '203.0.113.5:80'];
    expect(entries.map((entry) => pool.owns(entry))).toEqual([true, true, true, false]);
  });
});
