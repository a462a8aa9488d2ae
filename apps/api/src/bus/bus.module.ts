import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { AttemptCounter } from '#libs/bus/attempt-counter.js';
import { CaptureQueue } from '#libs/bus/capture-queue.js';
import { HintSubscriber } from '#libs/bus/channels.js';
import { ChatMarks } from '#libs/bus/chat-marks.js';
import { ChatRelay } from '#libs/bus/chat-relay.js';
import { DeadFacts } from '#libs/bus/dead-facts.js';
import { DeliveryQueue } from '#libs/bus/delivery-queue.js';
import { InspectionDesk } from '#libs/bus/inspections.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { QueueBoard } from '#libs/bus/queue-board.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { RuleBoard } from '#libs/bus/rule-board.js';
import type { Logger } from '#libs/observability/logger.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';

/** Injection token of the connection for short commands; it rejects at once while Redis is away. */
export const BUS_REDIS = Symbol('BUS_REDIS');
/** Injection token of the connection that hears what monitors say to whoever asked. */
const BUS_HINTS = Symbol('BUS_HINTS');

/** What the api says to monitors and hears of them, for every room. */
@Global()
@Module({
  providers: [
    {
      provide: BUS_REDIS,
      inject: [API_SETTINGS, LOGGER],
      useFactory: (settings: ApiSettings, logger: Logger) =>
        connectRedis(settings.REDIS_URL, 'api', logger, { failFast: true }),
    },
    {
      provide: BUS_HINTS,
      inject: [API_SETTINGS, LOGGER],
      useFactory: (settings: ApiSettings, logger: Logger) =>
        connectRedis(settings.REDIS_URL, 'api-hints', logger, { failFast: true }),
    },
    {
      provide: InspectionDesk,
      inject: [BUS_REDIS, BUS_HINTS, LOGGER],
      useFactory: (redis: RedisConnection, hints: RedisConnection, logger: Logger) =>
        new InspectionDesk(redis, new HintSubscriber(hints, logger)),
    },
    ...[
      AttemptCounter,
      CaptureQueue,
      ChatMarks,
      ChatRelay,
      DeadFacts,
      DeliveryQueue,
      MonitorDirectory,
      PresenceBoard,
      QueueBoard,
      RuleBoard,
    ].map((part) => ({
      provide: part,
      inject: [BUS_REDIS],
      useFactory: (redis: RedisConnection) => new part(redis),
    })),
  ],
  exports: [
    BUS_REDIS,
    AttemptCounter,
    CaptureQueue,
    ChatMarks,
    ChatRelay,
    DeadFacts,
    DeliveryQueue,
    InspectionDesk,
    MonitorDirectory,
    PresenceBoard,
    QueueBoard,
    RuleBoard,
  ],
})
export class BusModule implements OnApplicationShutdown {
  constructor(
    @Inject(BUS_REDIS) private readonly redis: RedisConnection,
    @Inject(BUS_HINTS) private readonly hints: RedisConnection,
    @Inject(CaptureQueue) private readonly queue: CaptureQueue,
    @Inject(DeliveryQueue) private readonly deliveries: DeliveryQueue,
    @Inject(QueueBoard) private readonly board: QueueBoard,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    const closed = Promise.all([this.queue.close(), this.deliveries.close(), this.board.close()]);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
    this.redis.disconnect();
    this.hints.disconnect();
  }
}
