import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';
import { thirdParties } from './third-party.js';

const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(join(repositoryRoot, path), 'utf8'));

const Licence = z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]);
const Package = z.object({
  version: z.string(),
  license: Licence.optional(),
  licenses: z.union([z.array(Licence), Licence.transform((one) => [one])]).optional(),
});

it('lists the licences that the packages themselves state', async () => {
  const parties = thirdParties(await read('package-lock.json'));
  let held = 0;
  for (const { name, version, licence } of parties) {
    const path = join('node_modules', name, 'package.json');
    if (!existsSync(join(repositoryRoot, path))) continue;
    const own = Package.parse(await read(path));
    if (own.version !== version) continue;
    expect({ name, licence }).toEqual({ name, licence: own.license ?? own.licenses?.join(' OR ') });
    held += 1;
  }
  expect(held).toBeGreaterThan(200);
});

it('leaves out what only developers need, and takes nothing without a licence', () => {
  const packages = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '2.0.0', license: 'MIT' },
    'node_modules/a/node_modules/@b/c': { version: '3.0.0', license: 'ISC' },
    'node_modules/d': { version: '4.0.0', license: 'MIT', dev: true },
  };
  expect(thirdParties({ packages }).map(({ name }) => name)).toEqual(['@b/c', 'a']);
  expect(() => thirdParties({ packages: { 'node_modules/e': { version: '1.0.0' } } })).toThrow('e states no licence');
});
