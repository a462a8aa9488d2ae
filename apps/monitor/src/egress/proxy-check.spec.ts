import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { HttpProxyServer } from '#libs/testing/proxy-http-server.js';
import { Destinations } from './destinations.js';
import { DEFAULT_LIMITS } from './lane-budget.js';
import { ProxyCheck } from './proxy-check.js';
import { ProxyEndpoint } from './proxy-endpoint.js';
import { ProxyPool } from './proxy-pool.js';

describe('ProxyCheck', () => {
  let origin: HlsOrigin;
  let proxies: HttpProxyServer[];
  let pool: ProxyPool;
  let check: ProxyCheck;
  let timers: { ms: number; action: () => void }[];
  const now = 1_000_000;

  beforeEach(async () => {
    timers = [];
    origin = await HlsOrigin.start();
    origin.text('/ok', 'ok', 'text/plain');
    proxies = await Promise.all([HttpProxyServer.start(), HttpProxyServer.start()]);
    const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
    pool = new ProxyPool({
      endpoints: proxies.map(({ port }) => new ProxyEndpoint('http', '127.0.0.1', port, null)),
      ...{ resolve, now: () => now, random: () => 1 },
    });
    check = new ProxyCheck(pool, {
      url: origin.url('/ok'),
      destinations: new Destinations([origin.host], resolve),
      limits: DEFAULT_LIMITS,
      clock: { now: () => now, after: (ms, action) => (timers.push({ ms, action }), () => timers.splice(0)) },
      random: () => 0.5,
    });
  });
  afterEach(async () => {
    await check.stop();
    await Promise.all([...proxies, origin].map((server) => server.stop()));
  });

  const states = (): string[] => pool.reports().map(({ state }) => state);

  it('takes a benched proxy that works back before its time', async () => {
    const health = pool.proxies[0]?.health;
    health?.failed(now, 'x', health.era);
    expect(states()).toEqual(['benched', 'healthy']);
    await check.run();
    expect(states()).toEqual(['healthy', 'healthy']);
    expect(proxies.map(({ asked }) => asked)).toEqual([[origin.host], [origin.host]]);
  });

  it('benches what fails while another works, and leaves alone what was in use just now', async () => {
    const [bad] = proxies;
    if (bad !== undefined) bad.mood = 'refuses';
    await check.run();
    expect(states()).toEqual(['benched', 'healthy']);
    expect(pool.reports()[0]?.lastError).toContain('health check: ');
    expect(proxies[1]?.asked).toHaveLength(1);
    await check.run();
    expect(proxies[1]?.asked).toHaveLength(1);
  });

  it('blames nobody when the page itself is down', async () => {
    origin.text('/ok', 'no', 'text/plain', 503);
    for (const proxy of proxies) proxy.mood = 'refuses';
    await check.run();
    expect(states()).toEqual(['healthy', 'healthy']);
  });

  it('comes again after about a minute until it is stopped', async () => {
    check.start();
    expect(timers.map(({ ms }) => ms)).toEqual([60_000]);
    timers.shift()?.action();
    await check.stop();
    expect(timers).toEqual([]);
  });
});
