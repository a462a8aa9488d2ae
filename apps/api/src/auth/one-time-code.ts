import { createHash, randomBytes } from 'node:crypto';

/** A new code of 192 bits, as a person pastes it out of a mail. */
export function newCode(): string {
  return randomBytes(24).toString('base64url');
}

/** sha-256 of a code or token, hexadecimal: what the database keeps. Guessing 192 bits needs no slow hash. */
export function hashCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
