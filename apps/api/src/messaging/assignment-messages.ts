import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { AssignmentUpdateEvent } from '#libs/contracts/sockets.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { requestOrigin } from '../http/request-context.js';
import { LOGGER } from '../runtime.module.js';
import { MessagingRepository } from './messaging.repository.js';
import { MessagingService } from './messaging.service.js';

/** Writes to an agent, in the conversation with whoever assigned it, what it looks after from now on, or no longer. */
@Injectable()
export class AssignmentMessages implements OnApplicationBootstrap, OnModuleDestroy {
  private off: () => void = () => undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly messages: MessagingService,
    private readonly repository: MessagingRepository,
    private readonly events: AppEvents,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.off = this.events.on('assignment.changed', (update) => {
      const { userId } = requestOrigin();
      // What the system does by itself is nobody's to say.
      if (userId === null || userId === update.agentId) return;
      const writing = this.write(userId, update).finally(() => this.underWay.delete(writing));
      this.underWay.add(writing);
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.off();
    await Promise.allSettled(this.underWay);
  }

  private async write(actorId: string, { agentId, streamId, change }: AssignmentUpdateEvent): Promise<void> {
    try {
      const name = await this.repository.streamName(streamId);
      if (name === null) return;
      const text = change === 'assigned' ? `You now look after “${name}”.` : `You no longer look after “${name}”.`;
      await this.messages.tell(actorId, agentId, text);
    } catch (error) {
      this.logger.warn({ agentId, streamId, fault: messageOf(error) }, 'an agent could not be written to');
    }
  }
}
