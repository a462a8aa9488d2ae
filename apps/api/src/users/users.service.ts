import { Injectable } from '@nestjs/common';
import { unauthorized } from '../auth/auth.errors.js';
import type { UserRole } from '../auth/authenticated-user.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import type { Precondition } from '../http/etag.js';
import { PasswordHasher } from './password-hasher.js';
import type { UserEntity } from './user.entity.js';
import { UsersRepository } from './users.repository.js';

/** A user about to be made. */
export type NewUser = Pick<UserEntity, 'username' | 'email' | 'name' | 'role' | 'mustChangePassword'>;

/** Who there is, and whether they know their password. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly transactions: TransactionRunner,
  ) {}

  find(id: string): Promise<UserEntity | null> {
    return this.repository.findById(id);
  }

  findAgent(id: string): Promise<UserEntity | null> {
    return this.repository.findByRole(id, 'agent');
  }

  /** Users of a role by user name, after the given name and id. */
  list(role: UserRole, after: [string, string] | null, limit: number): Promise<UserEntity[]> {
    return this.repository.list(role, after, limit);
  }

  /**
   * The enabled user with this name or e-mail address and password, null when there is none. Takes as long for
   * unknown names as for known ones.
   */
  async recognise(login: string, password: string): Promise<UserEntity | null> {
    const user = await this.repository.findByLogin(login);
    const right = await this.passwords.verify(user?.passwordHash ?? null, password);
    return right && user?.disabledAt === null ? user : null;
  }

  /** Whether this is the password of the user. */
  knowsPassword(user: UserEntity, password: string): Promise<boolean> {
    return this.passwords.verify(user.passwordHash, password);
  }

  /** Finds by user name or e-mail address, whatever the case. */
  findByLogin(login: string): Promise<UserEntity | null> {
    return this.repository.findByLogin(login);
  }

  /** @throws AppError `user.username.conflict`, `user.email.conflict`. */
  async create(user: NewUser, password: string): Promise<UserEntity> {
    return this.repository.create({ ...user, passwordHash: await this.passwords.hash(password) });
  }

  /**
   * Makes a user if `approve` does not throw, in one transaction with what that does.
   * @throws AppError `user.username.conflict`, `user.email.conflict`, and what `approve` throws.
   */
  async createIf(
    approve: (tx: Transaction, id: string) => Promise<void>,
    user: NewUser,
    password: string,
  ): Promise<UserEntity> {
    const passwordHash = await this.passwords.hash(password);
    return this.transactions.run(async (tx) => {
      const made = await this.repository.create({ ...user, passwordHash }, tx);
      await approve(tx, made.id);
      return made;
    });
  }

  /**
   * Changes what a user says of itself.
   * @throws AppError `request.version.precondition_failed`; `auth.unauthorized` when there is no such user any more.
   */
  async updateProfile(
    id: string,
    changes: Partial<Pick<UserEntity, 'name' | 'bio' | 'receiveUpdates'>>,
    precondition: Precondition,
  ): Promise<UserEntity> {
    const user = await this.change(id, changes, precondition);
    if (user === null) throw unauthorized();
    return user;
  }

  /**
   * Changes a user that is still at the version that was meant.
   * @returns the user as it is then, null when there is none.
   * @throws AppError `request.version.precondition_failed`, `user.email.conflict`.
   */
  change(
    id: string,
    changes: Partial<Pick<UserEntity, 'name' | 'bio' | 'receiveUpdates' | 'email' | 'disabledAt' | 'capacity'>>,
    precondition: Precondition,
  ): Promise<UserEntity | null> {
    return this.transactions.run(async (tx) => {
      const user = await this.repository.lock(tx, id);
      if (user === null) return null;
      precondition.require(user.version);
      if (Object.keys(changes).length === 0) return user;
      await this.repository.update(id, changes, tx);
      return { ...user, ...changes, version: user.version + 1 };
    });
  }

  /** Makes the first admin unless there is an admin; several processes may try at once. @returns whether it was made. */
  async createFirstAdmin(admin: Omit<NewUser, 'role'>, password: string): Promise<boolean> {
    if (await this.repository.hasAdmin()) return false;
    const user = { ...admin, role: 'admin' as const, passwordHash: await this.passwords.hash(password) };
    return this.transactions.run((tx) => this.repository.createFirstAdmin(tx, user));
  }

  /** @throws AppError `user.email.conflict`. */
  update(id: string, changes: Partial<Pick<UserEntity, 'name' | 'email' | 'disabledAt' | 'capacity'>>): Promise<void> {
    return this.repository.update(id, changes);
  }

  /** Users with these ids, those that there are. */
  findAll(ids: readonly string[]): Promise<UserEntity[]> {
    return this.repository.findByIds(ids);
  }

  /**
   * Removes a user with its sign-ins, assignments and notifications.
   * @returns whether there was one. @throws AppError `request.version.precondition_failed`.
   */
  remove(id: string, precondition: Precondition): Promise<boolean> {
    return this.transactions.run(async (tx) => {
      const user = await this.repository.lock(tx, id);
      if (user === null) return false;
      precondition.require(user.version);
      await this.repository.remove(id, tx);
      return true;
    });
  }

  /** Sets a password that its user chose, in one transaction with what `and` does. */
  async setPassword(id: string, password: string, and: (tx: Transaction) => Promise<void>): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    await this.transactions.run(async (tx) => {
      await and(tx);
      await this.repository.update(id, { passwordHash, mustChangePassword: false }, tx);
    });
  }
}
