import { CrowdMember, type Tally } from './crowd-member.js';
import type { CrowdNote, CrowdOrder, Side } from './crowd.js';
import { Reader } from './open-loop.js';

/** Handshakes under way at once. */
const AT_ONCE = 100;
/** Loopback addresses that clients come from in turns. */
const ADDRESSES = 8;

/** Members of one side, and what they heard together. */
class Section {
  readonly members: CrowdMember[] = [];
  private readonly times = new Map<number, number[]>();

  constructor(private readonly side: Side) {}

  async connect(order: Extract<CrowdOrder, { do: 'connect' }>): Promise<void> {
    const { url, tokens, replayPath, reconnectMs } = order;
    const replay = replayPath === null ? null : { reader: new Reader(url), path: replayPath };
    for (const [index, token] of tokens.entries()) {
      const from = `127.0.0.${String(2 + (index % ADDRESSES))}`;
      const heard = this.heard.bind(this);
      this.members.push(new CrowdMember({ url, token, from, replay, reconnectMs, heard }));
    }
    const waiting = [...this.members];
    const lane = async (): Promise<void> => {
      for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) await member.connect();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  timesOf(lines: readonly number[]): number[] {
    return lines.flatMap((line) => this.times.get(line) ?? []);
  }

  private heard(line: number, tookMs: number): void {
    const times = this.times.get(line) ?? [];
    this.times.set(line, times);
    if (times.push(tookMs) === this.members.length) say({ note: 'all heard', side: this.side, line });
  }
}

const sections: Record<Side, Section> = { vigil: new Section('vigil'), bare: new Section('bare') };

async function obey(order: CrowdOrder): Promise<unknown> {
  switch (order.do) {
    case 'connect':
      return sections[order.side].connect(order);
    case 'times':
      return sections[order.side].timesOf(order.lines);
    case 'in step':
      return sections.vigil.members.filter(({ isInStep }) => isInStep).length;
    case 'tally': {
      const { members } = sections.vigil;
      const resyncedAt = Math.max(...members.map((member) => member.resyncedAt ?? 0));
      return { tally: sum(members.map((member) => member.tally(order.lines))), resyncedAt };
    }
  }
}

function sum(tallies: readonly Tally[]): Tally {
  const total: Tally = { missing: 0, doubled: 0, overlapping: 0, replayed: 0 };
  for (const tally of tallies) for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name];
  return total;
}

function say(note: CrowdNote): void {
  process.send?.(note);
}

process.on('message', (order: CrowdOrder & { number: number }) => {
  obey(order).then(
    (value) => say({ note: 'done', number: order.number, value }),
    (error: unknown) => say({ note: 'failed', number: order.number, fault: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
