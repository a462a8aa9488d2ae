import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { containerLimits, type ContainerLimits } from './container-limits.js';

const MB = 2 ** 20;

/** Real: files as the kernel lays them out, in a folder of the test. */
describe('limits of a container', () => {
  let root: string;

  async function read(files: Readonly<Record<string, string>>): Promise<ContainerLimits> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), `${text}\n`);
    }
    return containerLimits({ root, membership: join(root, 'membership') });
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'vigil-cgroup-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('are none where nothing tells of any, and where it says max', async () => {
    expect(await read({})).toEqual({ cores: null, freeBytes: null });
    const files = { membership: '0::/', 'cpu.max': 'max 100000', 'memory.max': 'max', 'memory.current': '1000' };
    expect(await read(files)).toEqual({ cores: null, freeBytes: null });
  });

  it('are read of version 2, file pages that nobody needs being free', async () => {
    const stat = `anon 1\ninactive_file ${100 * MB}\nactive_file ${7 * MB}`;
    const memory = { 'memory.max': String(512 * MB), 'memory.current': String(300 * MB), 'memory.stat': stat };
    expect(await read({ membership: '0::/', 'cpu.max': '150000 100000', ...memory })).toEqual({
      cores: 1.5,
      freeBytes: 312 * MB,
    });
  });

  it('are those of the tightest group on the way up', async () => {
    const files = {
      membership: '0::/system.slice/vigil.service',
      'system.slice/cpu.max': '50000 100000',
      'system.slice/vigil.service/cpu.max': '200000 100000',
      'system.slice/vigil.service/memory.max': String(10 * MB),
      'system.slice/vigil.service/memory.current': String(30 * MB),
    };
    expect(await read(files)).toEqual({ cores: 0.5, freeBytes: 0 });
  });

  it('are read of version 1, also where a container does not see the path that it is told', async () => {
    const files = {
      membership: '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/',
      ...{ 'cpu/cpu.cfs_quota_us': '200000', 'cpu/cpu.cfs_period_us': '100000' },
      ...{ 'memory/memory.limit_in_bytes': String(256 * MB), 'memory/memory.usage_in_bytes': String(200 * MB) },
      'memory/memory.stat': `inactive_file 5\ntotal_inactive_file ${50 * MB}`,
    };
    expect(await read(files)).toEqual({ cores: 2, freeBytes: 106 * MB });
    await rm(join(root, 'memory'), { recursive: true });
    expect(await read({ 'cpu/cpu.cfs_quota_us': '-1' })).toEqual({ cores: null, freeBytes: null });
  });
});
