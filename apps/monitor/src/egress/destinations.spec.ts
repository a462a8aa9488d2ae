import { Destinations } from './destinations.js';

const names: Record<string, readonly string[]> = {
  'good.test': ['93.184.216.34', '2606:2800:220:1::1'],
  'mixed.test': ['93.184.216.34', '10.0.0.1'],
  'inner.test': ['127.0.0.1'],
  'empty.test': [],
};
const resolve = (host: string): Promise<readonly string[]> =>
  names[host] === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(names[host]);

describe('Destinations', () => {
  const open = new Destinations([], resolve);

  it('gives every address of a public host', async () => {
    expect(await open.of('good.test', 443)).toEqual(['93.184.216.34', '2606:2800:220:1::1']);
    expect(await open.of('GOOD.test', 80)).toHaveLength(2);
    expect(await open.of('[2606:2800:220:1::1]', 80)).toEqual(['2606:2800:220:1::1']);
  });

  it.each([
    ['inner.test', 80, 'refused_address'],
    ['mixed.test', 80, 'refused_address'],
    ['127.0.0.1', 80, 'refused_address'],
    ['[::1]', 80, 'refused_address'],
    ['good.test', 22, 'refused_address'],
    ['empty.test', 80, 'unknown_host'],
    ['absent.test', 80, 'unknown_host'],
    ['', 80, 'unknown_host'],
  ])('refuses %s port %d as %s', async (host, port, reason) => {
    await expect(open.of(host, port)).rejects.toMatchObject({ reason });
  });

  it('lets exactly the listed host and port pass, by name or by address', async () => {
    const some = new Destinations(['127.0.0.1:8080', 'mixed.test:22', '[::1]:81'], resolve);
    expect(await some.of('127.0.0.1', 8080)).toEqual(['127.0.0.1']);
    expect(await some.of('inner.test', 8080)).toEqual(['127.0.0.1']);
    expect(await some.of('mixed.test', 22)).toHaveLength(2);
    expect(await some.of('[::1]', 81)).toEqual(['::1']);
    await expect(some.of('127.0.0.1', 8081)).rejects.toMatchObject({ reason: 'refused_address' });
    await expect(some.of('127.0.0.2', 8080)).rejects.toMatchObject({ reason: 'refused_address' });
    await expect(some.of('mixed.test', 80)).rejects.toMatchObject({ reason: 'refused_address' });
  });
});
