import { readdir } from 'node:fs/promises';
import { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { PlatformError } from './platform.port.js';
import { registerPlatforms } from './registry.js';

const platforms = registerPlatforms({ allowFiles: false });

describe('the platform registry', () => {
  it('holds every adapter folder, each with its code and its spec', async () => {
    const here = new URL('.', import.meta.url);
    const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect(platforms.map(({ descriptor }) => descriptor.id).sort()).toEqual(folders.map(({ name }) => name).sort());
    for (const { name } of folders) {
      const files = await readdir(new URL(`${name}/`, here));
      expect(files).toEqual(expect.arrayContaining([`${name}.platform.js`, `${name}.platform.spec.js`]));
    }
  });
});

describe.each(platforms.map((platform) => [platform.descriptor.id, platform] as const))(
  'platform %s',
  (_id, platform) => {
    it('describes itself', () => {
      expect(AdapterDescriptor.parse(platform.descriptor)).toEqual(platform.descriptor);
      expect(platform.descriptor.id).toMatch(/^[a-z][a-z0-9-]{0,30}$/);
    });

    it.each([
      '',
      'nonsense',
      '-i /etc/passwd',
      'file:///etc/passwd',
      'http://127.0.0.1:1/',
      'http://[::1]/',
      `http://${'a'.repeat(300)}/`,
    ])('refuses %p with a typed reason', async (url) => {
      const proxy = await EgressProxy.start({ allow: [], resolve: () => Promise.reject(new Error('no such host')) });
      const lane = await proxy.open('stream');
      await expect(platform.resolve(url, new AbortController().signal, lane)).rejects.toBeInstanceOf(PlatformError);
      await proxy.stop();
    });
  },
);
