import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { UsersService } from '../users/users.service.js';

/** Makes the first admin when there is none, with the configured password or a one-time one that is printed once. */
@Injectable()
export class FirstAdmin implements OnModuleInit {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly users: UsersService,
  ) {}

  async onModuleInit(): Promise<void> {
    const { DEFAULT_ADMIN_USERNAME: username, DEFAULT_ADMIN_EMAIL: email } = this.settings;
    const configured = this.settings.DEFAULT_ADMIN_PASSWORD;
    const password = configured ?? randomBytes(12).toString('base64url');
    const admin = { username, email, name: 'First admin', mustChangePassword: configured === undefined };
    const made = await this.users.createFirstAdmin(admin, password);
    // On purpose past the logger: it is for the person who starts this, once, and logs are kept.
    if (made && configured === undefined) process.stdout.write(`Vigil first admin: ${username} / ${password}\n`);
  }
}
