import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { integer, parseSettings, secret, setting } from './settings.js';

const group = {
  PORT: setting(integer(0, 65_535).default(1), 'A port.'),
  MODE: setting(z.enum(['a', 'b']).default('a'), 'A mode.'),
  KEY: secret(z.string().min(8), 'A key.'),
  OTHER: secret(z.string().optional(), 'Another one.'),
};

describe('settings', () => {
  let directory: string;
  const file = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content);
    return path;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-settings-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('take a secret from the file that NAME_FILE names, without its last line break', async () => {
    const KEY_FILE = await file('key', 'from a file\n');
    expect(parseSettings(group, { KEY_FILE })).toEqual({ PORT: 1, MODE: 'a', KEY: 'from a file', OTHER: undefined });
    expect(parseSettings(group, { KEY: 'from a variable', KEY_FILE: '' }).KEY).toBe('from a variable');
  });

  it('take no other setting from a file', async () => {
    expect(parseSettings(group, { KEY: 'from a variable', PORT_FILE: await file('port', '7') }).PORT).toBe(1);
  });

  it('tell all that is wrong at once, and no value of anything', async () => {
    const env = {
      ...{ PORT: 'p-canary', MODE: 'm-canary', KEY_FILE: await file('short', 'k-can') },
      ...{ OTHER: 'o-canary', OTHER_FILE: await file('both', 'b-canary') },
    };
    let message = '';
    try {
      parseSettings(group, env);
    } catch (error) {
      message = error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : '';
    }
    for (const name of ['PORT', 'MODE', 'KEY', 'OTHER_FILE']) expect(message).toContain(name);
    expect(message).not.toMatch(/-can/);
    expect(() => parseSettings(group, { KEY_FILE: '/nowhere' })).toThrow(
      'KEY_FILE names a file that cannot be read (ENOENT)',
    );
    expect(() => parseSettings(group, {})).toThrow('KEY is not set');
  });
});
