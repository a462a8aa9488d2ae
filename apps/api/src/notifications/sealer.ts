import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { SIGNING_SECRET } from '../auth/signing-secret.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';

const ALGORITHM = 'aes-256-gcm';
const [IV_BYTES, TAG_BYTES] = [12, 16];

/** Seals secrets before they are stored (AES-256-GCM), with the key of `SECRETS_KEY` or one derived from JWT_SECRET. */
@Injectable()
export class Sealer {
  private readonly key: Buffer;

  constructor(
    @Inject(API_SETTINGS) settings: Pick<ApiSettings, 'SECRETS_KEY'>,
    @Inject(SIGNING_SECRET) signingSecret: string,
  ) {
    this.key = createHmac('sha256', settings.SECRETS_KEY ?? signingSecret)
      .update('vigil: sealed secrets')
      .digest();
  }

  /** @param purpose what it belongs to: it opens for the same one only. */
  seal(text: string, purpose: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, iv).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws AppError `secret.unreadable` when the key is another one, or what is stored was changed. */
  open(sealed: string, purpose: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      const advice = 'A stored secret cannot be read: was SECRETS_KEY or JWT_SECRET changed? Make the webhook anew.';
      throw new AppError('secret.unreadable', 'operational', advice, {}, { cause: error });
    }
  }
}
