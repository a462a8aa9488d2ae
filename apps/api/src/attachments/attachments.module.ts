import { Module } from '@nestjs/common';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { AttachmentSweeper } from './attachment-sweeper.js';
import { AttachmentsController } from './attachments.controller.js';
import { AttachmentsRepository } from './attachments.repository.js';
import { ATTACHMENT_STORE, AttachmentsService } from './attachments.service.js';

/** Files that are sent along with messages. */
@Module({
  controllers: [AttachmentsController],
  providers: [
    AttachmentsRepository,
    AttachmentsService,
    AttachmentSweeper,
    {
      provide: ATTACHMENT_STORE,
      inject: [API_SETTINGS],
      useFactory: ({ EVIDENCE_URL }: ApiSettings) => createEvidenceStore(EVIDENCE_URL),
    },
  ],
  exports: [AttachmentsService],
})
export class AttachmentsModule {}
