import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { Canary } from '#libs/testing/hls-origin.js';
import { BAD_ANSWERS, BadSite } from '#libs/testing/platform-bad-server.js';
import { ScriptedProgram } from '#libs/testing/platform-program.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { PlatformError, type Platform } from './platform.port.js';
import { registerPlatforms } from './registry.js';

const ids = registerPlatforms({ allowFiles: false }).map(({ descriptor }) => descriptor.id);

/** Addresses that lead each adapter to its site; those of a program lead to the program. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  url: [],
  twitch: ['https://www.twitch.tv/somebody'],
  kick: ['https://kick.com/somebody'],
  youtube: ['https://www.youtube.com/watch?v=abcdefghij1', 'https://www.youtube.com/@somebody'],
  streamlink: ['https://site.test/live'],
  'yt-dlp': ['https://site.test/live'],
};

describe('the platform registry', () => {
  it('holds every adapter folder, each with its code and its spec', async () => {
    const here = new URL('.', import.meta.url);
    const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect([...ids].sort()).toEqual(folders.map(({ name }) => name).sort());
    for (const { name } of folders) {
      const files = await readdir(new URL(`${name}/`, here));
      expect(files).toEqual(expect.arrayContaining([`${name}.platform.js`, `${name}.platform.spec.js`]));
    }
  });
});

describe.each(ids)('platform %s', (id) => {
  let site: BadSite;
  let canary: Canary;
  let program: ScriptedProgram;
  let proxy: EgressProxy;
  let platform: Platform;
  let addresses: readonly string[];

  beforeAll(async () => {
    [site, canary, program] = await Promise.all([BadSite.start(), Canary.start(), ScriptedProgram.make()]);
    proxy = await EgressProxy.start({
      allow: [site.host],
      resolve: () => Promise.reject(new Error('no such host')),
    });
    const { url } = site;
    const found = registerPlatforms({
      allowFiles: false,
      servers: { twitchGql: url, twitchUsher: url, kickSite: url, youtubeSite: url },
      programs: { streamlink: program.path, ytDlp: program.path },
    }).find(({ descriptor }) => descriptor.id === id);
    if (found === undefined) throw new Error(`There is no platform ${id}.`);
    platform = found;
    addresses = id === 'url' ? [`${site.url}live`] : (ADDRESSES[id] ?? []);
  });
  afterAll(async () => {
    await proxy.stop();
    await Promise.all([site.stop(), canary.stop(), program.remove()]);
  });

  async function outcomeOf(address: string, signal = new AbortController().signal): Promise<unknown> {
    const lane = await proxy.open('stream', { requestsPerSecond: 1_000 });
    const answer: unknown = await platform.resolve(address, signal, lane).catch((error: unknown) => error);
    await lane.close();
    return answer;
  }

  it('describes itself', () => {
    expect(AdapterDescriptor.parse(platform.descriptor)).toEqual(platform.descriptor);
    expect(id).toMatch(/^[a-z][a-z0-9-]{0,30}$/);
    expect(addresses).not.toEqual([]);
  });

  it.each([
    '',
    'nonsense',
    '-i /etc/passwd',
    '--config=/etc/passwd',
    'file:///etc/passwd',
    'http://127.0.0.1:1/',
    'http://[::1]/',
    `http://${'a'.repeat(300)}/`,
    `https://www.twitch.tv/${'a'.repeat(3_000)}`,
  ])('refuses %p with a typed reason', async (address) => {
    site.answer = (response) => response.writeHead(404).end();
    await program.will({ stderr: 'error: it cannot be reached', exitCode: 1 });
    const error = await outcomeOf(address);
    expect(error).toBeInstanceOf(PlatformError);
    expect((error as PlatformError).message).toMatch(/[.…]$|\w$/);
  });

  it.each(Object.keys(BAD_ANSWERS))('gives a typed reason for %s', async (name) => {
    site.answer = BAD_ANSWERS[name] ?? site.answer;
    await program.will(name === 'an endless body' ? { then: 'flood' } : { stdout: name, exitCode: 0 });
    for (const address of addresses) expect(await outcomeOf(address)).toBeInstanceOf(PlatformError);
  });

  it('follows no redirect to a private address', async () => {
    site.answer = (response) => response.writeHead(302, { location: `http://127.0.0.1:${canary.port}/` }).end();
    await program.will({ stdout: '', stderr: 'error: 403', exitCode: 1 });
    for (const address of addresses) expect(await outcomeOf(address)).toBeInstanceOf(PlatformError);
    expect(canary.connections).toBe(0);
  });

  it('stops at once when told to, with the reason it was given', async () => {
    site.answer = () => undefined;
    await program.will({ then: 'hang' });
    for (const address of addresses) {
      const stop = new AbortController();
      const before = site.requests;
      const answer = outcomeOf(address, stop.signal);
      while (site.requests === before && (await program.lastRun()) === null) await pause(10);
      stop.abort(new Error('enough'));
      expect(await answer).toMatchObject({ message: 'enough' });
    }
  });
});
