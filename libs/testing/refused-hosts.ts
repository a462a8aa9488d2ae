import type { NameAnswer } from './name-server.js';

/**
 * Hosts as they may stand in a url, none of which a stream or a webhook may reach: every spelling of loopback, private
 * and special addresses,
 * and names for which {@link plantedResolver} gives such addresses.
 */
export const REFUSED_HOSTS: readonly string[] = [
  // Loopback in every spelling that a parser of addresses has ever taken.
  ...['127.0.0.1', '127.0.0.2', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.1'],
  ...['0x7f.0.0.1', '0x7F.0x0.0x0.0x1', '017700000001', '0177.0.0.1', '0177.1', '0177.0x0.0.1', '127.0.0.1.'],
  ...['%31%32%37.0.0.1', '127%2e0%2e0%2e1', '①②⑦.⓪.⓪.①', '１２７.０.０.１', '127。0。0。1'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'loop.planted.test'],
  // This host, private networks, and what providers keep their secrets behind.
  ...['0', '0.0.0.0', '0x0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '012.0.0.1', '167772161'],
  ...['172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.1', '3232235521', '0xc0a80001'],
  ...['100.64.0.1', '100.100.100.200', '169.254.169.254', '2852039166', '0xa9fea9fe', '168.63.129.16', '192.0.0.192'],
  ...['198.18.0.1', '198.51.100.1', '192.0.2.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...['private.planted.test', 'mixed.planted.test', 'six.planted.test'],
  // IPv6, with IPv4 hidden in it.
  ...['[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:10.0.0.1]', '[::ffff:a9fe:a9fe]', '[::ffff:0:127.0.0.1]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b::a00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]'],
  ...['[fe80::1]', '[fec0::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]', '[2001:db8::1]', '[100::1]'],
];

const PLANTED: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'loop.planted.test': ['127.0.0.1'],
  'private.planted.test': ['10.0.0.1'],
  'mixed.planted.test': ['93.184.216.34', '127.0.0.1'],
  'six.planted.test': ['::ffff:127.0.0.1'],
};

/** A name server under an attacker's hand, as a function. What it does not know it has no address for. */
export function plantedResolver(host: string): Promise<readonly string[]> {
  return Promise.resolve(PLANTED[host.toLowerCase().replace(/\.$/, '')] ?? []);
}

/**
 * Names of a server that lies, for a {@link NameServer}: what it says of each begins well or has something good in it.
 * @param open an address that may be reached @param forbidden one that may not
 */
export function treacherousNames(open: string, forbidden: string): Readonly<Record<string, NameAnswer>> {
  return {
    'rebind.test': (asked) => (asked === 0 ? [open] : [forbidden]),
    'flip.test': (asked) => (asked % 2 === 0 ? [open] : [forbidden]),
    'late-alias.test': (asked) => (asked === 0 ? [open] : ['localhost.', forbidden]),
    'late-mixed.test': (asked) => (asked === 0 ? [open] : [open, forbidden]),
    'alias.test': () => ['localhost.', forbidden],
    'bare-alias.test': () => ['localhost.'],
    'mixed.test': () => [open, forbidden],
    'mixed-first.test': () => [forbidden, open],
    'mapped.test': () => [`::ffff:${forbidden}`],
    'two-families.test': () => [open, '::1'],
    'many.test': () => [...Array<string>(15).fill(open), forbidden],
  };
}
