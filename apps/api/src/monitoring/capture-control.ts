import { Inject, Injectable } from '@nestjs/common';
import { CaptureQueue, type QueuedCapture } from '#libs/bus/capture-queue.js';
import { within } from '#libs/bus/deadline.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { AppError } from '#libs/errors/app-error.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import type { StreamEntity } from '../streams/stream.entity.js';

/** Redis is waited for so long at most, in ms. */
const PATIENCE_MS = 2_000;

/** Captures and monitors as Redis knows them; every method rejects in time when Redis is away. */
@Injectable()
export class CaptureControl {
  constructor(
    private readonly queue: CaptureQueue,
    private readonly directory: MonitorDirectory,
    @Inject(BUS_REDIS) private readonly redis: RedisConnection,
  ) {}

  /** Asks for a stream to be watched; nothing happens when it is queued or watched already. */
  add(stream: StreamEntity): Promise<void> {
    const { id: streamId, generation, name, platform, url, priority, parts, language, chat } = stream;
    const job = { v: 1, streamId, generation, name, platform, url, priority, parts, language, chat } as const;
    return this.asking(() => this.queue.add(job));
  }

  /** Ends captures of a stream up to a generation. */
  stop(streamId: string, upToGeneration: number): Promise<void> {
    return this.asking(() => this.queue.stop(streamId, upToGeneration));
  }

  captures(): Promise<Map<string, QueuedCapture>> {
    return this.asking(() => this.queue.list());
  }

  monitors(): Promise<MonitorHeartbeat[]> {
    return this.asking(() => this.directory.list());
  }

  private async asking<T>(work: () => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw redisAway();
    try {
      return await within(PATIENCE_MS, work());
    } catch (error) {
      throw error instanceof AppError ? error : redisAway(error);
    }
  }
}

function redisAway(cause?: unknown): AppError {
  return new AppError('redis.unavailable', 'operational', 'Redis is away: try again soon.', {}, { cause });
}
