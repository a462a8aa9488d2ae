import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { TransactionRunner } from '../database/transaction.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { UsersRepository } from '../users/users.repository.js';
import { PasswordHasher } from './password-hasher.js';

/** Makes the first admin when there is none, with the configured password or a one-time one that is printed once. */
@Injectable()
export class FirstAdmin implements OnModuleInit {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly users: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly transactions: TransactionRunner,
  ) {}

  async onModuleInit(): Promise<void> {
    if (await this.users.hasAdmin()) return;
    const { DEFAULT_ADMIN_USERNAME: username, DEFAULT_ADMIN_EMAIL: email } = this.settings;
    const configured = this.settings.DEFAULT_ADMIN_PASSWORD;
    const password = configured ?? randomBytes(12).toString('base64url');
    const passwordHash = await this.passwords.hash(password);
    const made = await this.transactions.run((tx) =>
      this.users.createFirstAdmin(tx, {
        username,
        email,
        name: 'First admin',
        passwordHash,
        role: 'admin',
        mustChangePassword: configured === undefined,
      }),
    );
    // On purpose past the logger: it is for the person who starts this, once, and logs are kept.
    if (made && configured === undefined) process.stdout.write(`Vigil first admin: ${username} / ${password}\n`);
  }
}
