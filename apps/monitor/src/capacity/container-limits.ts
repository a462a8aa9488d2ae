import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a container leaves its processes; null where it sets no limit, or where there is none. */
export interface ContainerLimits {
  /** Processors that they may keep busy all together; not always a whole number. */
  cores: number | null;
  /** Memory that they may still take, bytes; what is only cached from files counts as free. */
  freeBytes: number | null;
}

/** Where the kernel tells of control groups. */
export interface CgroupPlaces {
  /** Mount point of the control groups. */
  root: string;
  /** File that names the groups of this process. */
  membership: string;
}

const PLACES: CgroupPlaces = { root: '/sys/fs/cgroup', membership: '/proc/self/cgroup' };

/**
 * Reads the limits of the control groups that this process runs in and of all groups above them; the tightest counts.
 * Version 2 (`cpu.max`, `memory.max`) and version 1 (`cpu.cfs_quota_us`, `memory.limit_in_bytes`), as the kernel's
 * documents of both describe the files. Never rejects: a file that is missing or unreadable sets no limit.
 */
export async function containerLimits({ root, membership }: CgroupPlaces = PLACES): Promise<ContainerLimits> {
  const groups = await groupsOf(membership);
  const limits = await Promise.all([
    ...foldersOf(root, groups.get('') ?? '/').flatMap((folder) => [quotaOf(folder), freeOf(folder)]),
    ...foldersOf(join(root, 'cpu'), groups.get('cpu') ?? '/').map(oldQuotaOf),
    ...foldersOf(join(root, 'memory'), groups.get('memory') ?? '/').map(oldFreeOf),
  ]);
  const least = (of: keyof ContainerLimits): number | null => {
    const values = limits.flatMap((limit) => limit[of] ?? []);
    return values.length === 0 ? null : Math.min(...values);
  };
  return { cores: least('cores'), freeBytes: least('freeBytes') };
}

/** Path of the process's group by controller; that of version 2 under the empty name (cgroups(7)). */
async function groupsOf(membership: string): Promise<Map<string, string>> {
  const lines = (await textOf(membership)).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, controllers, path = '/'] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      return (controllers?.split(',') ?? []).map((controller): [string, string] => [controller, path]);
    }),
  );
}

/** A group's folder and those above it. Seen from within a container, only the topmost may be there. */
function foldersOf(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, depth) => join(root, ...names.slice(0, depth)));
}

async function quotaOf(folder: string): Promise<Partial<ContainerLimits>> {
  const [quota, period] = (await textOf(join(folder, 'cpu.max'))).split(/\s+/).map(Number);
  return { cores: partOf(quota, period) };
}

async function freeOf(folder: string): Promise<Partial<ContainerLimits>> {
  return freeBytes(folder, { limit: 'memory.max', used: 'memory.current', cached: 'inactive_file' });
}

async function oldQuotaOf(folder: string): Promise<Partial<ContainerLimits>> {
  const [quota, period] = await Promise.all([
    numberIn(join(folder, 'cpu.cfs_quota_us')),
    numberIn(join(folder, 'cpu.cfs_period_us')),
  ]);
  return { cores: partOf(quota, period) };
}

async function oldFreeOf(folder: string): Promise<Partial<ContainerLimits>> {
  const files = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cached: 'total_inactive_file' };
  return freeBytes(folder, files);
}

/** The limit less the working set, as Kubernetes counts it: what is used without file pages that nobody needs. */
async function freeBytes(
  folder: string,
  files: { limit: string; used: string; cached: string },
): Promise<Partial<ContainerLimits>> {
  const [limit, used, stat] = await Promise.all([
    numberIn(join(folder, files.limit)),
    numberIn(join(folder, files.used)),
    textOf(join(folder, 'memory.stat')),
  ]);
  if (Number.isNaN(limit) || Number.isNaN(used)) return {};
  const cached = Number(new RegExp(`^${files.cached} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  return { freeBytes: Math.max(0, limit - Math.max(0, used - cached)) };
}

/** `max` is no number, and version 1 writes -1 for no quota. */
function partOf(quota = NaN, period = NaN): number | null {
  return quota > 0 && period > 0 ? quota / period : null;
}

async function numberIn(file: string): Promise<number> {
  const text = (await textOf(file)).trim();
  return text === '' ? NaN : Number(text);
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
