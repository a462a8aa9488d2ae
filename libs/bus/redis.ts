import { Redis } from 'ioredis';
import type { Logger } from '#libs/observability/logger.js';

/** A connection to Redis. */
export type RedisConnection = Redis;

/** Longer than any command blocks here: a server that is silent for so long is gone, whatever TCP believes; ms. */
const SILENCE_MS = 30_000;
/** How often that is looked at meanwhile. */
const LOOKS = 6;

/**
 * Opens a connection that reconnects for ever (at most 2 s between tries). While Redis is away commands wait, unless
 * `failFast` is set: then they reject at once, for callers that have a better answer than waiting. A server that does
 * not answer for `silenceMs` is left, and what was asked of it is asked anew.
 */
export function connectRedis(
  url: string,
  name: string,
  logger: Logger,
  options: { failFast?: boolean; silenceMs?: number } = {},
): RedisConnection {
  const redis = new Redis(url, {
    connectionName: `vigil-${name}`,
    maxRetriesPerRequest: null,
    enableOfflineQueue: options.failFast !== true,
    retryStrategy: (attempt) => Math.min(100 * attempt, 2_000),
  });
  endWhenSilent(redis, options.silenceMs ?? SILENCE_MS);
  let lastFault = '';
  redis.on('error', (error: Error) => {
    // One line for each new kind of fault, not one for each retry.
    if (error.message !== lastFault) logger.warn({ connection: name }, `Redis: ${error.message}`);
    lastFault = error.message;
  });
  redis.on('ready', () => {
    if (lastFault !== '') logger.info({ connection: name }, 'Redis is back');
    lastFault = '';
  });
  return redis;
}

/**
 * Cuts a connection on which an answer is due and nothing comes. TCP alone takes a quarter of an hour to notice, and
 * ioredis' own `socketTimeout` outlives the connection that it was set for.
 */
function endWhenSilent(redis: Redis, silenceMs: number): void {
  let [heard, silentLooks] = [0, 0];
  const look = (): void => {
    const { bytesRead } = redis.stream;
    silentLooks = redis.commandQueue.length > 0 && bytesRead === heard ? silentLooks + 1 : 0;
    heard = bytesRead;
    if (silentLooks < LOOKS) return;
    silentLooks = 0;
    redis.stream.destroy();
  };
  let watch: NodeJS.Timeout | undefined;
  redis.on('ready', () => {
    clearInterval(watch);
    watch = setInterval(look, silenceMs / LOOKS).unref();
  });
  redis.on('close', () => clearInterval(watch));
}
