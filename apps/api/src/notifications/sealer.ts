import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { SIGNING_SECRET } from '../auth/signing-secret.js';
import { seal, unseal } from '../http/sealed-box.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';

/** Seals secrets before they are stored, with a key derived from `SECRETS_KEY`, or from JWT_SECRET without it. */
@Injectable()
export class Sealer {
  private readonly secret: string;

  constructor(
    @Inject(API_SETTINGS) settings: Pick<ApiSettings, 'SECRETS_KEY'>,
    @Inject(SIGNING_SECRET) signingSecret: string,
  ) {
    this.secret = settings.SECRETS_KEY ?? signingSecret;
  }

  /** @param purpose what it belongs to: it opens for the same one only. */
  seal(text: string, purpose: string): string {
    return seal(text, [this.secret, purpose]).toString('base64url');
  }

  /** @throws AppError `secret.unreadable` when the key is another one, or what is stored was changed. */
  open(sealed: string, purpose: string): string {
    try {
      return unseal(Buffer.from(sealed, 'base64url'), [this.secret, purpose]);
    } catch (error) {
      const advice = 'A stored secret cannot be read: was SECRETS_KEY or JWT_SECRET changed? Make the webhook anew.';
      throw new AppError('secret.unreadable', 'operational', advice, {}, { cause: error });
    }
  }
}
