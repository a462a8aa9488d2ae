import { BlockList, isIP } from 'node:net';

/** Ranges that are never a public stream: IANA special-purpose registries, and metadata services outside them. */
const REFUSED_V4: readonly (readonly [string, number, string])[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'carrier-grade NAT'],
  ['127.0.0.0', 8, 'loopback'],
  ['168.63.129.16', 32, 'metadata'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relay'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarking'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/** Inside 2000::/3, the only part of IPv6 that is public at all. */
const REFUSED_V6: readonly (readonly [string, number, string])[] = [
  ['2001::', 32, 'Teredo'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'documentation'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'documentation'],
];

const v4Rules = REFUSED_V4.map(([network, prefix, name]) => ({ list: range(network, prefix, 'ipv4'), name }));
const v6Rules = REFUSED_V6.map(([network, prefix, name]) => ({ list: range(network, prefix, 'ipv6'), name }));

/**
 * Why an address may not be connected to, in a word or two; null when it is public. Takes a numeric address as
 * `net.isIP` knows it; anything else, a zone id included, is refused as not an address.
 */
export function refusalOf(address: string): string | null {
  const family = isIP(address);
  if (family === 4) return v4Rules.find(({ list }) => list.check(address, 'ipv4'))?.name ?? null;
  if (family !== 6 || address.includes('%')) return 'not an address';
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0] = groups;
  const middle = groups.slice(2, 6).every((group) => group === 0);
  if (first === 0 && groups.slice(1, 5).every((group) => group === 0)) {
    if (groups[5] === 0xffff) return refusalOf(embeddedV4(groups));
    if (groups[5] === 0) return specialV6(groups);
  }
  // NAT64 (RFC 6052): the IPv4 address behind it is what is reached.
  if (first === 0x64 && second === 0xff9b && middle) return refusalOf(embeddedV4(groups));
  if (first === 0x64 && second === 0xff9b && third === 1) return 'local NAT64';
  if ((first & 0xe000) !== 0x2000) return specialV6(groups);
  return v6Rules.find(({ list }) => list.check(address, 'ipv6'))?.name ?? null;
}

function specialV6(groups: readonly number[]): string {
  const [first = 0] = groups;
  if (groups.every((group) => group === 0)) return 'unspecified';
  if (groups.slice(0, 7).every((group) => group === 0) && groups[7] === 1) return 'loopback';
  if ((first & 0xffc0) === 0xfe80) return 'link-local';
  if ((first & 0xfe00) === 0xfc00) return 'private';
  if ((first & 0xff00) === 0xff00) return 'multicast';
  return 'reserved';
}

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  let text = address;
  if (dotted !== null) {
    const [, head = '', a, b, c, d] = dotted;
    const hex = (high: unknown, low: unknown): string => (Number(high) * 256 + Number(low)).toString(16);
    text = `${head}${hex(a, b)}:${hex(c, d)}`;
  }
  const [left = '', right] = text.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const head = parse(left);
  if (right === undefined) return head;
  const tail = parse(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function embeddedV4(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function range(network: string, prefix: number, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list;
}

/** Ports below 1024 on which streams are served: web, and RTSP. */
const LOW_PORTS = new Set([80, 81, 88, 443, 554, 591]);

/** Well-known services above 1023 that must not be talked to by a stream url. */
const SERVICE_PORTS = new Set([
  1080, 1433, 1434, 1521, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4369, 5432, 5671, 5672, 5900,
  5984, 6000, 6379, 6380, 6443, 6665, 6666, 6667, 6668, 6669, 6697, 7001, 8500, 9042, 9092, 9200, 9300, 10250, 11211,
  26379, 27017, 27018,
]);

/** Whether a stream may use a port: 80, 81, 88, 443, 554, 591, and any from 1024 up that is no well-known service. */
export function portAllowed(port: number): boolean {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return false;
  return port < 1_024 ? LOW_PORTS.has(port) : !SERVICE_PORTS.has(port);
}
