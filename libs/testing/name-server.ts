import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';

/**
 * What a name has at the n-th question of one type (from 0): `1.2.3.4` and `::1` are addresses, `other.test.` is
 * another name for it, whose addresses the rest is then.
 */
export type NameAnswer = (asked: number) => readonly string[];

const TYPE = { A: 1, CNAME: 5, AAAA: 28 } as const;
const TYPE_NAMES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA' };
/** Answer, recursion desired and available; with `NO_SUCH_NAME` in the low bits (RFC 1035, 4.1.1). */
const FLAGS = 0x8180;
const NO_SUCH_NAME = 3;

/** A name server under an attacker's hand: DNS over UDP on loopback (RFC 1035), nothing to be remembered (TTL 0). */
export class NameServer {
  /** Questions, `name TYPE`, oldest first; at most ten thousand. */
  readonly questions: string[] = [];

  private constructor(
    private readonly socket: Socket,
    private readonly zones: Readonly<Record<string, NameAnswer>>,
  ) {
    socket.on('message', (message, { address, port }) => {
      const reply = this.answer(message);
      if (reply !== null) socket.send(reply, port, address);
    });
  }

  /** @param zones answers by name; one is for the names below it too, each of which is counted by itself */
  static async start(zones: Readonly<Record<string, NameAnswer>>): Promise<NameServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new NameServer(socket, zones);
  }

  /** Asks this server for every address of a host, as `getaddrinfo` asks that of the machine. */
  readonly resolve = async (host: string): Promise<readonly string[]> => {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([`127.0.0.1:${this.socket.address().port}`]);
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0 && found[0].status === 'rejected') throw found[0].reason;
    return addresses;
  };

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  private answer(message: Buffer): Buffer | null {
    const question = questionOf(message);
    if (question === null) return null;
    const { name, type, bytes } = question;
    const asked = `${name} ${TYPE_NAMES[type] ?? type}`;
    const before = this.questions.filter((other) => other === asked).length;
    this.questions.push(asked);
    if (this.questions.length > 10_000) this.questions.shift();
    const zone = Object.keys(this.zones).find((known) => name === known || name.endsWith(`.${known}`));
    const records = zone === undefined ? [] : recordsOf(name, type, this.zones[zone]?.(before) ?? []);
    const header = Buffer.alloc(12);
    message.copy(header, 0, 0, 2);
    header.writeUInt16BE(zone === undefined ? FLAGS | NO_SUCH_NAME : FLAGS, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, bytes, ...records]);
  }
}

/** The one question of a message; null when it has none that can be read. Questions are never compressed. */
function questionOf(message: Buffer): { name: string; type: number; bytes: Buffer } | null {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > 63) return null;
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (message.length < end) return null;
  // Some resolvers mix the case of letters, to be told from forgers.
  return {
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 1),
    bytes: message.subarray(12, end),
  };
}

function recordsOf(name: string, type: number, said: readonly string[]): Buffer[] {
  const records: Buffer[] = [];
  let owner = name;
  for (const one of said) {
    if (one.endsWith('.')) {
      records.push(record(owner, TYPE.CNAME, encodedName(one)));
      owner = one.slice(0, -1);
    } else if (type === (one.includes(':') ? TYPE.AAAA : TYPE.A)) {
      records.push(record(owner, type, encodedAddress(one)));
    }
  }
  return records;
}

function record(name: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodedName(name), fixed, data]);
}

function encodedName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.of(0)]);
}

/** An address as its bytes. The URL parser turns every spelling of an IPv6 address into groups of hex. */
function encodedAddress(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [left = '', right = ''] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (half: string): number[] =>
    half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16));
  const [head, tail] = [groups(left), groups(right)];
  const bytes = Buffer.alloc(16);
  [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail].forEach((group, index) =>
    bytes.writeUInt16BE(group, index * 2),
  );
  return bytes;
}
