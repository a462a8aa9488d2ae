import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { TranscriptView } from '#libs/contracts/sockets.js';
import type { RootEvents } from '../../clients/typescript/client.js';
import type { Reader } from './open-loop.js';

const PAGE = 200;
/** Between two tries to replay, ms. */
const RETRY_MS = 300;

const Page = z.object({ items: z.array(TranscriptView), nextCursor: z.string().nullable() });

/** How a member reaches its server. */
export interface MemberOptions {
  url: string;
  token: string | null;
  /** Address that it comes from: one alone has not ports enough for many thousands. */
  from: string;
  /** Where it replays what it missed; null for a server that has nothing of the kind. */
  replay: { reader: Reader; path: string } | null;
  /** First pause before it connects again, ms. */
  reconnectMs: number;
  /** Hears of each caption as it comes, with the time it took, ms. */
  heard: (line: number, tookMs: number) => void;
}

/** What a member has in the end. */
export interface Tally {
  /** Lines that never came. */
  missing: number;
  /** Lines that came twice over the socket, or twice by a replay. */
  doubled: number;
  /** Lines that came over the socket while they were replayed: dropped by their number. */
  overlapping: number;
  replayed: number;
}

/**
 * One client of the live captions, as a front end should be: it keeps the number of the last caption it has, and after
 * each reconnection fetches what came since, however often the connection breaks meanwhile.
 */
export class CrowdMember {
  /** When it last had everything again after a break; null before. */
  resyncedAt: number | null = null;
  private readonly socket: Socket<RootEvents>;
  private readonly live = new Map<number, number>();
  private readonly replayed = new Map<number, number>();
  /** Everything up to here is there. */
  private cursor = 0;
  /** The last that came over the socket. */
  private latest = 0;
  private inStep = true;
  private connections = 0;

  constructor(private readonly options: MemberOptions) {
    const { url, token, from, reconnectMs } = options;
    this.socket = io(url, {
      ...{ transports: ['websocket'], forceNew: true, autoConnect: false, localAddress: from },
      ...{ auth: token === null ? {} : { token }, reconnectionDelay: reconnectMs },
    });
    this.socket.on('transcript', (caption) => {
      this.hear(caption);
    });
    this.socket.on('disconnect', () => {
      this.inStep = false;
    });
    this.socket.on('connect', () => {
      this.connections += 1;
      if (this.connections > 1) void this.catchUp(this.connections);
    });
  }

  /** Whether it is connected and has everything. */
  get isInStep(): boolean {
    return this.socket.connected && this.inStep;
  }

  /** Resolves once connected. @throws when it is refused. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', () => {
        resolve();
      });
      this.socket.once('connect_error', reject);
      this.socket.connect();
    });
  }

  close(): void {
    this.socket.disconnect();
  }

  /** @param lines how many there were, numbered from 1. */
  tally(lines: number): Tally {
    const tally: Tally = { missing: 0, doubled: 0, overlapping: 0, replayed: 0 };
    for (let line = 1; line <= lines; line += 1) {
      const [live, replayed] = [this.live.get(line) ?? 0, this.replayed.get(line) ?? 0];
      if (live + replayed === 0) tally.missing += 1;
      if (live > 0 && replayed > 0) tally.overlapping += 1;
      tally.doubled += Math.max(0, live - 1) + Math.max(0, replayed - 1);
      tally.replayed += replayed;
    }
    return tally;
  }

  private hear({ text, seq, startedAt }: TranscriptView): void {
    const line = lineOf(text);
    this.options.heard(line, Date.now() - Date.parse(startedAt));
    this.live.set(line, (this.live.get(line) ?? 0) + 1);
    this.latest = Number(seq);
    if (this.inStep) this.cursor = this.latest;
  }

  private async catchUp(connection: number): Promise<void> {
    const { replay, token } = this.options;
    if (replay === null) return;
    let query = `after=${String(this.cursor)}`;
    while (connection === this.connections && this.socket.connected) {
      try {
        const text = await replay.reader.get(`${replay.path}?${query}&limit=${String(PAGE)}`, token ?? '');
        if (connection !== this.connections) return;
        const { items, nextCursor } = Page.parse(JSON.parse(text));
        for (const item of items) {
          const line = lineOf(item.text);
          this.replayed.set(line, (this.replayed.get(line) ?? 0) + 1);
          this.cursor = Number(item.seq);
        }
        if (nextCursor === null) break;
        query = `cursor=${nextCursor}`;
      } catch {
        // The server is not there yet, or gone again: the next connection begins anew.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    if (connection !== this.connections || !this.socket.connected) return;
    this.cursor = Math.max(this.cursor, this.latest);
    this.inStep = true;
    this.resyncedAt = Date.now();
  }
}

/** The text of a caption of the bench: its number in front. */
export function captionOf(line: number): string {
  return `${String(line)} is the number of this caption, which is about as long as a sentence that people say.`;
}

const lineOf = (text: string): number => Number.parseInt(text, 10);
