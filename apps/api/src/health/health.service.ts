import { Inject, Injectable } from '@nestjs/common';
import { within } from '#libs/bus/deadline.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import { DatabaseProbe } from '../database/database-probe.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import type { Health } from './health.dto.js';

const PATIENCE_MS = 1_500;

/** Asks what the api depends on whether it is there. */
@Injectable()
export class HealthService {
  constructor(
    private readonly database: DatabaseProbe,
    @Inject(BUS_REDIS) private readonly redis: RedisConnection,
  ) {}

  async check(): Promise<Health> {
    const [database, redis] = await Promise.all([isUp(() => this.database.ping()), isUp(() => this.redis.ping())]);
    const status = database === 'down' ? 'down' : redis === 'down' ? 'degraded' : 'ok';
    return { status, database, redis, uptimeSeconds: Math.floor(process.uptime()) };
  }
}

async function isUp(ask: () => Promise<unknown>): Promise<'up' | 'down'> {
  try {
    await within(PATIENCE_MS, ask());
    return 'up';
  } catch {
    return 'down';
  }
}
