import { Module } from '@nestjs/common';
import { UsersRepository } from './users.repository.js';

/** Who there is. */
@Module({ providers: [UsersRepository], exports: [UsersRepository] })
export class UsersModule {}
