import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditTrail } from '../../audit/audit-trail.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../../http/pagination.js';
import { Mailer } from '../../mail/mailer.js';
import { API_SETTINGS, type ApiSettings } from '../../runtime.module.js';
import type { UserEntity } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import { viewOf as userView, type SessionUser } from '../auth.dto.js';
import { badInvitation, invitationNotFound, registrationClosed } from '../auth.errors.js';
import { LoginThrottle } from '../login-throttle.js';
import { hashCode, newCode } from '../one-time-code.js';
import type { InvitationEntity } from './invitation.entity.js';
import { InvitationsRepository } from './invitations.repository.js';
import type { CreatedInvitation, CreateInvitationRequest, Invitation, RegisterRequest } from './registration.dto.js';

const HOUR_MS = 3_600_000;
const Position = z.tuple([z.iso.datetime(), z.uuid()]);

/** Who may become an agent without an admin typing it in. */
@Injectable()
export class RegistrationService {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: Pick<ApiSettings, 'REGISTRATION'>,
    private readonly users: UsersService,
    private readonly invitations: InvitationsRepository,
    private readonly throttle: LoginThrottle,
    private readonly mailer: Mailer,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Makes an agent.
   * @throws AppError `auth.registration.forbidden`, `auth.invitation.forbidden`, `auth.too_many`,
   * `user.username.conflict`, `user.email.conflict`.
   */
  async register({ password, invitation, ...person }: RegisterRequest, address: string): Promise<SessionUser> {
    this.requireOpen();
    await this.throttle.spend('register', address);
    const user = { ...person, role: 'agent' as const, mustChangePassword: false };
    if (invitation === undefined) {
      if (this.settings.REGISTRATION !== 'open') throw badInvitation();
      return this.registered(await this.users.create(user, password));
    }
    const code = hashCode(invitation);
    // Asked before the costly hash, and again when it is used.
    if (!(await this.invitations.isGood(code, person.email))) throw badInvitation();
    const made = await this.users.createIf(
      async (tx, id) => {
        if (!(await this.invitations.use(tx, code, person.email, id))) throw badInvitation();
      },
      user,
      password,
    );
    return this.registered(made);
  }

  private async registered({ id, username, ...user }: UserEntity): Promise<SessionUser> {
    const actor = { id, name: username };
    await this.audit.record({ action: 'user.registered', target: { type: 'user', ...actor }, actor });
    return userView({ id, username, ...user });
  }

  /** Whether nobody has this user name or e-mail address. @throws AppError `auth.registration.forbidden`, `auth.too_many`. */
  async isAvailable(login: string, address: string): Promise<boolean> {
    this.requireOpen();
    await this.throttle.spend('check', address);
    return (await this.users.findByLogin(login)) === null;
  }

  async invite(
    { email, expiresInHours }: CreateInvitationRequest,
    adminId: string,
    now = Date.now(),
  ): Promise<CreatedInvitation> {
    const code = newCode();
    const expiresAt = new Date(now + expiresInHours * HOUR_MS);
    const row = await this.invitations.create({
      codeHash: hashCode(code),
      email: email ?? null,
      invitedBy: adminId,
      expiresAt,
    });
    if (email !== undefined) {
      this.mailer.post({
        to: email,
        subject: 'Your invitation to Vigil',
        text: `You are invited to Vigil. Register with this code before ${expiresAt.toUTCString()}:\n\n${code}\n`,
      });
    }
    const view = viewOf(row);
    const target = { type: 'invitation', id: view.id, name: view.email ?? '' };
    await this.audit.record({ action: 'invitation.created', target, after: view });
    return { ...view, code };
  }

  async list({ limit, cursor }: PageQuery): Promise<Page<Invitation>> {
    const rows = await this.invitations.list(decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, ({ createdAt, id }) => [createdAt.toISOString(), id], viewOf);
  }

  /** @throws AppError `auth.invitation.not_found`. */
  async withdraw(id: string): Promise<void> {
    if (!(await this.invitations.withdraw(id))) throw invitationNotFound();
    await this.audit.record({ action: 'invitation.withdrawn', target: { type: 'invitation', id } });
  }

  private requireOpen(): void {
    if (this.settings.REGISTRATION === 'closed') throw registrationClosed();
  }
}

function viewOf({ id, email, invitedBy, usedAt, usedBy, expiresAt, createdAt }: InvitationEntity): Invitation {
  return {
    id,
    email,
    invitedBy,
    usedAt: usedAt?.toISOString() ?? null,
    usedBy,
    expiresAt: expiresAt.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
