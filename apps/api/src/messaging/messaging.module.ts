import { Module } from '@nestjs/common';
import { AttachmentsModule } from '../attachments/attachments.module.js';
import { UsersModule } from '../users/users.module.js';
import { AssignmentMessages } from './assignment-messages.js';
import { MessagingController } from './messaging.controller.js';
import { MessagingRepository } from './messaging.repository.js';
import { MessagingService } from './messaging.service.js';

/** What users write to each other. */
@Module({
  imports: [AttachmentsModule, UsersModule],
  controllers: [MessagingController],
  providers: [MessagingRepository, MessagingService, AssignmentMessages],
  exports: [MessagingService],
})
export class MessagingModule {}
