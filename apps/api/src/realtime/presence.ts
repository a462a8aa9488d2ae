import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { ROOMS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { MessagingService } from '../messaging/messaging.service.js';
import { LOGGER } from '../runtime.module.js';
import { RootGateway } from './gateways.js';
import { SocketSessions } from './socket-sessions.js';

/** The rhythm of {@link Presence}. */
export interface PresenceTimes {
  /** How often a process says who is connected to it, and looks who is connected elsewhere, ms. */
  intervalMs: number;
  /** A process that has not been heard of for so long is gone, ms. */
  timeToLiveMs: number;
}
/** Injection token of {@link PresenceTimes}. */
export const PRESENCE_TIMES = Symbol('PRESENCE_TIMES');
export const presenceTimes: PresenceTimes = { intervalMs: 2_000, timeToLiveMs: 8_000 };
const PATIENCE_MS = 1_000;
/** Between two looks: thousands who come at once are told of together. */
const PACE_MS = 200;

/**
 * Who is online: whoever has a socket open at any api process. Every process looks by itself and tells those of its
 * own clients who may know: admins, and whoever shares a conversation. So a process that was killed is missed by all
 * within {@link PresenceTimes.timeToLiveMs}.
 */
@Injectable()
export class Presence implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly processId = randomUUID();
  private everywhere: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private off: () => void = () => undefined;
  private looking: Promise<void> | null = null;
  private again = false;
  private lastFault = '';

  constructor(
    private readonly board: PresenceBoard,
    private readonly sessions: SocketSessions,
    private readonly root: RootGateway,
    private readonly events: AppEvents,
    private readonly messaging: MessagingService,
    @Inject(PRESENCE_TIMES) private readonly times: PresenceTimes,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.off = this.events.on('presence.changed', () => this.look());
    this.timer = setInterval(() => this.look(), this.times.intervalMs);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    this.off();
    await this.looking;
    await within(PATIENCE_MS, this.board.withdraw(this.processId)).catch(() => undefined);
  }

  /** One look at a time; one that is asked for meanwhile follows. */
  private look(): void {
    this.again = true;
    this.looking ??= this.lookAround().finally(() => (this.looking = null));
  }

  private async lookAround(): Promise<void> {
    while (this.again) {
      this.again = false;
      let seen: ReadonlySet<string>;
      try {
        const here = this.sessions.connectedUsers();
        await within(PATIENCE_MS, this.board.announce(this.processId, here, this.times.timeToLiveMs));
        seen = await within(PATIENCE_MS, this.board.online());
        this.lastFault = '';
      } catch (error) {
        const fault = messageOf(error);
        if (fault !== this.lastFault) this.logger.warn({ fault }, 'who is online is known of this process alone');
        this.lastFault = fault;
        seen = new Set(this.sessions.connectedUsers());
      }
      await this.tell(seen);
      if (this.again) await sleep(PACE_MS);
    }
  }

  private async tell(seen: ReadonlySet<string>): Promise<void> {
    const came = [...seen].filter((userId) => !this.everywhere.has(userId));
    const went = [...this.everywhere].filter((userId) => !seen.has(userId));
    this.everywhere = seen;
    if (came.length + went.length === 0) return;
    const partners = await this.partnersOf([...came, ...went]);
    const at = new Date().toISOString();
    const say = (userId: string, online: boolean): void => {
      const rooms = [ROOMS.role('admin'), ...(partners.get(userId) ?? []).map(ROOMS.user)];
      this.root.namespace?.local.to(rooms).emit('user_status', { userId, online, at });
    };
    for (const userId of came) say(userId, true);
    for (const userId of went) say(userId, false);
  }

  private async partnersOf(userIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    try {
      return await this.messaging.partnersOf(userIds, this.sessions.connectedUsers());
    } catch (error) {
      this.logger.warn({ fault: messageOf(error) }, 'only admins were told who came or went');
      return new Map();
    }
  }
}
