import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BodyMeter } from './body-meter.js';
import { EgressError } from './egress-error.js';
import type { LaneBudget } from './lane-budget.js';

/** What is answered at a house address. */
export interface HousePage {
  status: number;
  type: string;
  /** All of it, or piece by piece for as long as the player waits. */
  body: string | AsyncIterable<string>;
}

/** Answers one path; `signal` aborts when the player goes away or the lane closes. */
export type HouseAnswer = (path: string, signal: AbortSignal) => Promise<HousePage>;

/** `invalid` is a name that no resolver knows (RFC 6761, 6.4), so such an address leads nowhere but here. */
const SUFFIX = '.vigil.invalid';
const MOST = 4;

/** Addresses of one lane that lead nowhere: what is asked of them is answered in this process. */
export class HouseAddresses {
  private readonly answers = new Map<string, HouseAnswer>();

  /** Gives the origin of a new address; beyond four, the oldest is let go. */
  add(answer: HouseAnswer): string {
    // Unguessable, so that a playlist from elsewhere cannot name it.
    const host = `${randomBytes(12).toString('hex')}${SUFFIX}`;
    this.answers.set(host, answer);
    const [oldest] = this.answers.keys();
    if (this.answers.size > MOST && oldest !== undefined) this.answers.delete(oldest);
    return `http://${host}`;
  }

  /** Whether an address is of this kind, known or not; it must never be connected to. */
  owns(url: URL): boolean {
    return url.hostname.endsWith(SUFFIX);
  }

  /**
   * Answers a request. @returns the status that was sent, 0 when the player left before
   * @throws EgressError `unknown_host`, and what the answer throws
   */
  async answer(url: URL, outgoing: ServerResponse, budget: LaneBudget, closing: AbortSignal): Promise<number> {
    const answer = this.answers.get(url.hostname);
    if (answer === undefined) throw new EgressError('unknown_host', 'The address of this stream is no longer valid.');
    const left = new AbortController();
    outgoing.once('close', () => left.abort());
    try {
      const page = await answer(`${url.pathname}${url.search}`, AbortSignal.any([closing, left.signal]));
      if (outgoing.destroyed) return 0;
      outgoing.writeHead(page.status, { 'content-type': page.type, connection: 'close' });
      const body = typeof page.body === 'string' ? [page.body] : page.body;
      await pipeline(Readable.from(body), new BodyMeter(budget, true), outgoing);
      return page.status;
    } catch (error) {
      // The player has gone: nobody is there to be told, and nothing went wrong.
      if (left.signal.aborted && !(error instanceof EgressError)) return 0;
      throw error;
    }
  }
}
