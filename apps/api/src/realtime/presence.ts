import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { ROOMS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { LOGGER } from '../runtime.module.js';
import { RootGateway } from './gateways.js';
import { SocketSessions } from './socket-sessions.js';

/** How often a process says who is connected to it, and looks who is connected elsewhere, ms. */
const INTERVAL_MS = 2_000;
/** A process that has not been heard of for so long is gone, ms. */
const TIME_TO_LIVE_MS = 8_000;
const PATIENCE_MS = 1_000;

/**
 * Who is online: whoever has a socket open at any api process. Every process looks by itself and tells its own
 * admins, so that a process that was killed is missed by all within {@link TIME_TO_LIVE_MS}.
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
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.off = this.events.on('presence.changed', () => this.look());
    this.timer = setInterval(() => this.look(), INTERVAL_MS);
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
        await within(PATIENCE_MS, this.board.announce(this.processId, this.sessions.connectedUsers(), TIME_TO_LIVE_MS));
        seen = await within(PATIENCE_MS, this.board.online());
        this.lastFault = '';
      } catch (error) {
        const fault = messageOf(error);
        if (fault !== this.lastFault) this.logger.warn({ fault }, 'who is online is known of this process alone');
        this.lastFault = fault;
        seen = new Set(this.sessions.connectedUsers());
      }
      this.tell(seen);
    }
  }

  private tell(seen: ReadonlySet<string>): void {
    const at = new Date().toISOString();
    const admins = this.root.namespace?.local.to(ROOMS.role('admin'));
    for (const userId of seen)
      if (!this.everywhere.has(userId)) admins?.emit('user_status', { userId, online: true, at });
    for (const userId of this.everywhere)
      if (!seen.has(userId)) admins?.emit('user_status', { userId, online: false, at });
    this.everywhere = seen;
  }
}
