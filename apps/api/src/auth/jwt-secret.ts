import { createHmac, randomBytes } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { AppSecretEntity } from './app-secret.entity.js';
import { SIGNING_SECRET } from './signing-secret.js';

/** Injection token of the key that signs access tokens. */
export const JWT_SECRET = Symbol('JWT_SECRET');

/** The configured key, else the one that was made once and is kept in the database. */
export async function resolveJwtSecret(settings: ApiSettings, dataSource: DataSource): Promise<string> {
  if (settings.JWT_SECRET !== undefined) return settings.JWT_SECRET;
  const secrets = dataSource.getRepository(AppSecretEntity);
  await secrets
    .createQueryBuilder()
    .insert()
    .values({ name: 'jwt', value: randomBytes(48).toString('base64url') })
    .orIgnore()
    .execute();
  return (await secrets.findOneByOrFail({ name: 'jwt' })).value;
}

export const secretProviders: Provider[] = [
  { provide: JWT_SECRET, inject: [API_SETTINGS, DataSource], useFactory: resolveJwtSecret },
  {
    provide: SIGNING_SECRET,
    inject: [JWT_SECRET],
    useFactory: (secret: string) => createHmac('sha256', secret).update('vigil: signed links').digest('base64url'),
  },
];
