import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { unauthorized } from '../auth/auth.errors.js';
import type { Precondition } from '../http/etag.js';
import type { UserEntity } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Me, UpdateMeRequest } from './me.dto.js';

/** What users say of themselves. */
@Injectable()
export class MeService {
  constructor(
    private readonly users: UsersService,
    private readonly audit: AuditTrail,
  ) {}

  async get(id: string): Promise<Me> {
    const user = await this.users.find(id);
    if (user === null) throw unauthorized();
    return viewOf(user);
  }

  /** @throws AppError `request.version.precondition_failed`. */
  async update(id: string, { name, bio, receiveUpdates }: UpdateMeRequest, precondition: Precondition): Promise<Me> {
    const changes = {
      ...(name === undefined ? {} : { name }),
      ...(bio === undefined ? {} : { bio }),
      ...(receiveUpdates === undefined ? {} : { receiveUpdates }),
    };
    const before = await this.get(id);
    const after = viewOf(await this.users.updateProfile(id, changes, precondition));
    const target = { type: 'user', id, name: after.username };
    await this.audit.record({ action: 'user.profile_changed', target, before, after });
    return after;
  }
}

function viewOf({ id, username, email, name, role, bio, receiveUpdates, createdAt, version }: UserEntity): Me {
  return { id, username, email, name, role, bio, receiveUpdates, createdAt: createdAt.toISOString(), version };
}
