import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a text with a key derived from all of `secrets` (HKDF-SHA256, AES-256-GCM): nonce, tag, cipher text. */
export function seal(text: string, secrets: readonly string[]): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secrets), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Opens what {@link seal} made. @throws when a secret differs or a byte was changed. */
export function unseal(box: Buffer, secrets: readonly string[]): string {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secrets), box.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(box.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
}

function keyOf(secrets: readonly string[]): Buffer {
  return Buffer.from(hkdfSync('sha256', JSON.stringify(secrets), '', 'vigil: sealed box', 32));
}
