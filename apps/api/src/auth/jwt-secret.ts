import { createHmac, randomBytes } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { AppSecretsRepository } from './app-secrets.repository.js';
import { SIGNING_SECRET } from './signing-secret.js';

/** Injection token of the key that signs access tokens. */
export const JWT_SECRET = Symbol('JWT_SECRET');

/** The configured key, else the one that was made once and is kept in the database. */
async function resolveJwtSecret(settings: ApiSettings, secrets: AppSecretsRepository): Promise<string> {
  return settings.JWT_SECRET ?? secrets.keep('jwt', randomBytes(48).toString('base64url'));
}

/** Provides {@link JWT_SECRET} and what is derived from it. */
export const secretProviders: Provider[] = [
  AppSecretsRepository,
  { provide: JWT_SECRET, inject: [API_SETTINGS, AppSecretsRepository], useFactory: resolveJwtSecret },
  {
    provide: SIGNING_SECRET,
    inject: [JWT_SECRET],
    useFactory: (secret: string) => createHmac('sha256', secret).update('vigil: signed links').digest('base64url'),
  },
];
