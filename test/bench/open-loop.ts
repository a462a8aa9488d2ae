import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode } from '#tools/services/error-code.js';

/** Requests under way at most; what is due beyond waits, and its wait counts. */
const MOST_OPEN = 200;

/** One thing to do, timed. Rejects when it failed. */
export type Shot = () => Promise<void>;

/**
 * Begins shots at a fixed rate, whether or not those before have ended, and times each from when it was **due**: a
 * server that stalls delays nobody's clock (no coordinated omission).
 * @param shots what is due next, in turns
 * @param ratePerSecond in all
 * @returns the times in ms, in order of the shots' index
 */
export async function openLoop(shots: readonly Shot[], ratePerSecond: number, seconds: number): Promise<number[][]> {
  const times = shots.map((): number[] => []);
  const open = new Set<Promise<void>>();
  const failed = new AbortController();
  const startedAt = performance.now();
  const count = Math.round(ratePerSecond * seconds);
  for (let number = 0; number < count; number += 1) {
    const index = number % shots.length;
    const dueAt = startedAt + (number * 1_000) / ratePerSecond;
    const early = dueAt - performance.now();
    if (early > 1) await wait(early);
    while (open.size >= MOST_OPEN) await Promise.race(open);
    failed.signal.throwIfAborted();
    const one: Promise<void> = (shots[index] ?? (() => Promise.resolve()))()
      .then(() => void times[index]?.push(performance.now() - dueAt))
      .catch((error: unknown) => failed.abort(error))
      .finally(() => open.delete(one));
    open.add(one);
  }
  await Promise.all(open);
  failed.signal.throwIfAborted();
  return times;
}

/** Reads answers over connections that stay open, as a browser does. */
export class Reader {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MOST_OPEN });

  constructor(private readonly base: string) {}

  /** The whole answer. @throws Error for any status but 200. */
  get(path: string, token: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.base + path,
        { agent: this.agent, headers: { authorization: `Bearer ${token}` }, timeout: 30_000 },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            if (answer.statusCode === 200) resolve(text);
            else reject(new Error(`GET ${path} gave ${String(answer.statusCode)}: ${text.slice(0, 300)}`));
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`GET ${path} gave no answer`)));
      sent.on('error', (error) => {
        // The server may close an idle connection in the very moment it is used again.
        if (sent.reusedSocket && errorCode(error) === 'ECONNRESET') this.get(path, token).then(resolve, reject);
        else reject(error);
      });
      sent.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
