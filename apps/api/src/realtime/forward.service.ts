import { Injectable } from '@nestjs/common';
import { SERVER_EVENTS } from '#libs/contracts/sockets.js';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { invalidRequest } from '../http/validation.js';
import { StreamsService } from '../streams/streams.service.js';
import { UsersService } from '../users/users.service.js';
import { payloadSchema, roomTarget, type Forwarded, type ForwardRequest } from './forward.dto.js';
import { MessagesGateway, NotificationsGateway, RootGateway } from './gateways.js';

const ROOMS_TAKEN = 'must be `user:<id>`, `role:admin`, `role:agent` or `stream:<id>` of one that exists';

/** What another service wants clients to hear: sent on only as the contract has it. */
@Injectable()
export class ForwardService {
  constructor(
    private readonly root: RootGateway,
    private readonly notifications: NotificationsGateway,
    private readonly messages: MessagesGateway,
    private readonly users: UsersService,
    private readonly streams: StreamsService,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `request.invalid` that says what is allowed. */
  async forward({ namespace, event, room, payload }: ForwardRequest): Promise<Forwarded> {
    const schema = payloadSchema(namespace, event);
    if (schema === undefined) {
      throw refused('event', `must be one of ${Object.keys(SERVER_EVENTS[namespace]).join(', ')} on ${namespace}`);
    }
    const parsed = schema.safeParse(payload);
    if (!parsed.success) {
      throw invalidRequest(parsed.error.issues.map(({ path, message }) => ({ path: ['payload', ...path], message })));
    }
    if (!(await this.exists(room))) throw refused('room', ROOMS_TAKEN);
    const gateway = [this.root, this.notifications, this.messages].find(({ namespace: at }) => at?.name === namespace);
    const target = gateway?.namespace as unknown as Broadcast | null | undefined;
    if (target === null || target === undefined) {
      throw new AppError('sockets.unavailable', 'operational', 'Sockets are not served yet: try again in a moment.');
    }
    target.to(room).emit(event, parsed.data);
    await this.audit.record({
      actor: { id: null, name: 'service token' },
      action: 'event.forwarded',
      target: { type: 'room', id: room, name: `${event} on ${namespace}` },
    });
    return { namespace, event, room };
  }

  private async exists(room: string): Promise<boolean> {
    const target = roomTarget(room);
    if (target === null) return false;
    switch (target.kind) {
      case 'role':
        return true;
      case 'user':
        return (await this.users.find(target.id)) !== null;
      case 'stream':
        return this.streams.known(target.id).then(
          () => true,
          (error: unknown) => {
            if (error instanceof AppError && error.code === 'stream.not_found') return false;
            throw error;
          },
        );
    }
  }
}

/** A namespace whose events were checked by schema rather than by the compiler. */
interface Broadcast {
  to(room: string): { emit(event: string, payload: unknown): unknown };
}

function refused(path: string, message: string): AppError {
  return invalidRequest([{ path: [path], message }]);
}
