import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.js';
import { UsersModule } from '../users/users.module.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';

/** The people who look at what was found. */
@Module({ imports: [AssignmentsModule, UsersModule], controllers: [AgentsController], providers: [AgentsService] })
export class AgentsModule {}
