import { Algorithm, hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { Turns } from './turns.js';

/** Hashes computed at once; each takes 19 MiB and a thread for about 30 ms. */
const CONCURRENCY = 2;
/** Those waiting for their turn at most. */
const MOST_WAITING = 200;
// OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
const PARAMETERS = { algorithm: Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes and checks passwords with argon2id, a bounded number at once. */
@Injectable()
export class PasswordHasher {
  private readonly turns = new Turns(CONCURRENCY, MOST_WAITING);
  private decoy: Promise<string> | undefined;

  hash(password: string): Promise<string> {
    return this.turns.take(() => hash(password, PARAMETERS));
  }

  /** Checks a password; without a hash (an unknown user) it takes as long and says no. */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    this.decoy ??= hash('nobody has this password', PARAMETERS);
    const against = passwordHash ?? (await this.decoy);
    const matches = await this.turns.take(() => verify(against, password));
    return matches && passwordHash !== null;
  }
}
