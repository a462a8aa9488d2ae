import { UsersService } from './users.service.js';
import type { PasswordHasher } from './password-hasher.js';
import type { UserEntity } from './user.entity.js';
import type { UsersRepository } from './users.repository.js';
import type { TransactionRunner } from '../database/transaction.js';

type Known = Pick<UserEntity, 'username' | 'passwordHash' | 'disabledAt'>;

describe('recognising a user', () => {
  it('is the same work for known, unknown and disabled ones: one look-up and one hash', async () => {
    const people: Record<string, Known> = {
      known: { username: 'known', passwordHash: 'hash', disabledAt: null },
      disabled: { username: 'disabled', passwordHash: 'hash', disabledAt: new Date() },
    };
    for (const [login, expected] of [
      ['known', 'known'],
      ['unknown', null],
      ['disabled', null],
    ] as const) {
      const work: string[] = [];
      const repository = {
        findByLogin: (name: string) => {
          work.push('look-up');
          return Promise.resolve(people[name] ?? null);
        },
      } as unknown as UsersRepository;
      const hasher = {
        verify: (hash: string | null) => {
          work.push('hash');
          return Promise.resolve(hash !== null);
        },
      } as unknown as PasswordHasher;
      const users = new UsersService(repository, hasher, {} as TransactionRunner);
      expect((await users.recognise(login, 'password'))?.username ?? null).toBe(expected);
      expect(work).toEqual(['look-up', 'hash']);
    }
  });
});
