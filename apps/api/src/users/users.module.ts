import { Module } from '@nestjs/common';
import { PasswordHasher } from './password-hasher.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/** Who there is. */
@Module({ providers: [PasswordHasher, UsersRepository, UsersService], exports: [UsersService] })
export class UsersModule {}
