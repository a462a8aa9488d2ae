import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { within } from '#libs/bus/deadline.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import type { Health } from './health.dto.js';

const PATIENCE_MS = 1_500;

/** Asks what the api depends on whether it is there. */
@Injectable()
export class HealthService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(BUS_REDIS) private readonly redis: RedisConnection,
  ) {}

  async check(): Promise<Health> {
    const [database, redis] = await Promise.all([
      isUp(() => this.dataSource.query('SELECT 1')),
      isUp(() => this.redis.ping()),
    ]);
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
