import { Redis } from 'ioredis';
import type { Logger } from '#libs/observability/logger.js';

/** A connection to Redis. */
export type RedisConnection = Redis;

/**
 * Opens a connection that reconnects for ever (at most 2 s between tries). While Redis is away commands wait, unless
 * `failFast` is set: then they reject at once, for callers that have a better answer than waiting.
 */
export function connectRedis(
  url: string,
  name: string,
  logger: Logger,
  options: { failFast?: boolean } = {},
): RedisConnection {
  const redis = new Redis(url, {
    connectionName: `vigil-${name}`,
    maxRetriesPerRequest: null,
    enableOfflineQueue: options.failFast !== true,
    retryStrategy: (attempt) => Math.min(100 * attempt, 2_000),
  });
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
