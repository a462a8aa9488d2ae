import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { createEvidenceStore } from './create-store.js';
import type { EvidenceStore } from './evidence-store.js';
import { signPath, signedPath, verifyPath } from './signing.js';

describe('the file evidence store', () => {
  let directory: string;
  let store: EvidenceStore;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-evidence-'));
    store = createEvidenceStore(pathToFileURL(directory).href);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('gives back what was put, replaces it, and forgets it', async () => {
    const key = 'detections/4be0643f/a.b.jpg';
    expect(await store.read(key)).toBeNull();
    await store.put(key, Buffer.from('one'));
    await store.put(key, Buffer.from('twice'));
    expect((await store.read(key))?.toString()).toBe('twice');
    const content = await store.open(key);
    expect(content?.size).toBe(5);
    expect(content === null ? '' : (await buffer(content.stream)).toString()).toBe('twice');
    await store.put('other/b.jpg', Buffer.alloc(100));
    expect(await store.bytes((name) => name === key)).toBe(5);
    expect(await store.bytes(() => true)).toBe(105);
    expect(await store.delete(key)).toBe(5);
    expect(await store.delete(key)).toBe(0);
    expect(await store.open(key)).toBeNull();
  });

  it('leaves no partial file behind', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.put('same.jpg', Buffer.alloc(50_000, index))));
    const files = (await readdir(directory, { recursive: true })).filter((name) => name.includes('same'));
    expect(files).toHaveLength(1);
    expect(new Set(await store.read('same.jpg')).size).toBe(1);
  });

  it.each([
    '',
    '../x',
    'a/../b',
    '/etc/passwd',
    'a//b',
    'a\\b',
    'a b',
    '.hidden',
    'a/.',
    'x'.repeat(201),
    'a\0b',
    'a+b',
  ])('refuses the key %j', async (key) => {
    await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'evidence.bad_key' });
    await expect(store.read(key)).rejects.toMatchObject({ code: 'evidence.bad_key' });
  });

  it('says so when its directory cannot be used', async () => {
    const broken = createEvidenceStore('file:///dev/null/evidence');
    await expect(broken.put('a.jpg', Buffer.from('x'))).rejects.toMatchObject({
      code: 'evidence.unavailable',
      kind: 'operational',
    });
  });

  it.each(['s3://bucket', 'http://x/y', 'file:///', 'nonsense'])('does not take %s for a store', (url) => {
    expect(() => createEvidenceStore(url)).toThrow(expect.objectContaining({ code: 'evidence.unsupported' }));
  });
});

describe('signed paths', () => {
  const path = '/api/detections/1/image';

  it('hold for their path until they expire', () => {
    const given = signPath(path, 'secret', 5_000);
    expect(verifyPath(path, 'secret', given, 4_999)).toBe(true);
    expect(verifyPath(path, 'secret', given, 5_000)).toBe(false);
    expect(signedPath(path, 'secret', 5_000)).toBe(`${path}?expires=5000&signature=${given.signature}`);
  });

  it('do not hold for another path, secret, expiry or signature', () => {
    const given = signPath(path, 'secret', 5_000);
    expect(verifyPath(`${path}2`, 'secret', given, 0)).toBe(false);
    expect(verifyPath(path, 'other', given, 0)).toBe(false);
    expect(verifyPath(path, 'secret', { ...given, expiresAt: 6_000 }, 0)).toBe(false);
    expect(verifyPath(path, 'secret', { ...given, signature: '' }, 0)).toBe(false);
    expect(verifyPath(path, 'secret', { ...given, signature: `${given.signature}AA` }, 0)).toBe(false);
  });
});
