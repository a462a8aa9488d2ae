import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import type { UserRole } from '../auth/authenticated-user.js';
import type { Transaction } from '../database/transaction.js';
import { uniqueViolation } from '../database/constraint-violations.js';
import { UserEntity } from './user.entity.js';
import { emailTaken, usernameTaken } from './users.errors.js';

/** A user about to be made. */
type NewUser = Pick<UserEntity, 'username' | 'email' | 'name' | 'passwordHash' | 'role' | 'mustChangePassword'>;

/** The table of users. */
@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(UserEntity) private readonly rows: Repository<UserEntity>) {}

  /** Finds by user name or e-mail address, whatever the case. */
  findByLogin(login: string): Promise<UserEntity | null> {
    return this.rows
      .createQueryBuilder('u')
      .where('lower(u.username) = lower(:login) OR lower(u.email) = lower(:login)', { login })
      .getOne();
  }

  findById(id: string): Promise<UserEntity | null> {
    return this.rows.findOneBy({ id });
  }

  findByIds(ids: readonly string[]): Promise<UserEntity[]> {
    return this.rows.find({ where: { id: In([...ids]) }, order: { username: 'ASC' } });
  }

  async remove(id: string, tx: Transaction): Promise<void> {
    await tx.delete(UserEntity, { id });
  }

  findByRole(id: string, role: UserRole): Promise<UserEntity | null> {
    return this.rows.findOneBy({ id, role });
  }

  /** @throws AppError `user.username.conflict` or `user.email.conflict`. */
  async create(user: NewUser, tx: Transaction = this.rows.manager): Promise<UserEntity> {
    return this.saving(() => tx.save(UserEntity, { ...user, disabledAt: null }));
  }

  /** @throws AppError `user.email.conflict`. */
  async update(
    id: string,
    changes: Partial<Omit<UserEntity, 'id' | 'version'>>,
    tx: Transaction = this.rows.manager,
  ): Promise<void> {
    await this.saving(() => tx.update(UserEntity, { id }, { ...changes, version: () => 'version + 1' }));
  }

  /** A user that nobody else changes until the transaction ends. */
  lock(tx: Transaction, id: string): Promise<UserEntity | null> {
    return tx.findOne(UserEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** Users of a role by user name, after the given name and id. */
  list(role: UserRole, after: [string, string] | null, limit: number): Promise<UserEntity[]> {
    const query = this.rows
      .createQueryBuilder('u')
      .where('u.role = :role', { role })
      .orderBy('u.username')
      .addOrderBy('u.id')
      .limit(limit);
    if (after !== null) query.andWhere('(u.username, u.id) > (:username, :id)', { username: after[0], id: after[1] });
    return query.getMany();
  }

  /** Makes the first admin unless there is an admin; several processes may try at once. @returns whether it was made. */
  async createFirstAdmin(tx: Transaction, admin: NewUser): Promise<boolean> {
    await tx.query('LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE');
    if ((await tx.countBy(UserEntity, { role: 'admin' })) > 0) return false;
    await this.saving(() => tx.save(UserEntity, { ...admin, disabledAt: null }));
    return true;
  }

  hasAdmin(): Promise<boolean> {
    return this.rows.existsBy({ role: 'admin' });
  }

  private async saving<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const constraint = uniqueViolation(error);
      if (constraint === 'users_username_key') throw usernameTaken();
      if (constraint === 'users_email_key') throw emailTaken();
      throw error;
    }
  }
}
