import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { monitorSettings } from '#libs/config/shared.settings.js';
import { ConfigError, list, type Values } from '#libs/config/settings.js';
import { messageOf } from '#libs/errors/app-error.js';
import { ProxyLine, type ProxyEndpoint } from './proxy-endpoint.js';

/** Most proxies of one monitor, and the longest file, bytes. */
const [MOST_PROXIES, LONGEST_FILE] = [1_000, 2 ** 20];
/** So many bad lines are named; the rest is a number. */
const MOST_FAULTS = 50;
const DEFAULT_FILE = 'proxies.txt';

/** The settings that say which proxies there are and who uses them. */
export type ProxySettings = Pick<
  Values<typeof monitorSettings>,
  'PROXIES_FILE' | 'PROXIES' | 'PROXY_PLATFORMS' | 'PROXY_CHECK_URL'
>;

/** What the settings say, read and checked. */
export interface ProxyPlan {
  endpoints: readonly ProxyEndpoint[];
  /** Ids of the platforms that go out through them; all others go out directly. */
  platforms: ReadonlySet<string>;
  /** What the proxies are tried on now and then; null when never. */
  checkUrl: string | null;
}

/**
 * Reads the proxies of `PROXIES_FILE` (`proxies.txt` of the working directory when unset and there) and `PROXIES`.
 * @param directory the working directory
 * @throws ConfigError naming every bad line by its number, and nothing of what stands there
 */
export async function loadProxyPlan(settings: ProxySettings, directory = process.cwd()): Promise<ProxyPlan> {
  const entries: Entry[] = [];
  const faults: string[] = [];
  const file = settings.PROXIES_FILE ?? DEFAULT_FILE;
  const text = await readText(resolve(directory, file), settings.PROXIES_FILE !== undefined, faults);
  text.split(/\r?\n/).forEach((line, index) => {
    const stripped = line.replace(/(^|\s)#.*$/, '').trim();
    if (stripped !== '') entries.push({ text: stripped, where: `${file} line ${index + 1}` });
  });
  list.parse(settings.PROXIES).forEach((item, index) => {
    entries.push({ text: item, where: `PROXIES entry ${index + 1}` });
  });
  const endpoints = parseEntries(entries, faults);
  const platforms = new Set(list.parse(settings.PROXY_PLATFORMS));
  if (platforms.size > 0 && entries.length === 0 && faults.length === 0) {
    faults.push(`PROXY_PLATFORMS is set, but there are no proxies: list them in ${file} or PROXIES.`);
  }
  if (faults.length > MOST_FAULTS) {
    faults.splice(MOST_FAULTS, faults.length, `… and ${faults.length - MOST_FAULTS} more bad lines.`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { endpoints, platforms, checkUrl: settings.PROXY_CHECK_URL ?? null };
}

interface Entry {
  text: string;
  where: string;
}

function parseEntries(entries: readonly Entry[], faults: string[]): ProxyEndpoint[] {
  const found = new Map<string, { endpoint: ProxyEndpoint; where: string }>();
  for (const { text, where } of entries) {
    const parsed = ProxyLine.safeParse(text);
    if (!parsed.success) {
      faults.push(`${where} is no proxy: ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
      continue;
    }
    const twin = found.get(parsed.data.identity());
    if (twin !== undefined) faults.push(`${where} is the same proxy as ${twin.where}.`);
    else found.set(parsed.data.identity(), { endpoint: parsed.data, where });
  }
  if (found.size > MOST_PROXIES) faults.push(`There are ${found.size} proxies; at most ${MOST_PROXIES} are used.`);
  return [...found.values()].map(({ endpoint }) => endpoint);
}

async function readText(path: string, wanted: boolean, faults: string[]): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_FILE + 1), 0, LONGEST_FILE + 1, 0);
      if (bytesRead <= LONGEST_FILE) return buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
      faults.push(`${path} is longer than ${LONGEST_FILE} bytes.`);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const absent = typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
    if (wanted || !absent) faults.push(`${path} cannot be read (${messageOf(error)}).`);
  }
  return '';
}
