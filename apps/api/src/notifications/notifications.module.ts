import { Module } from '@nestjs/common';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { Alerting } from './alerting.js';
import { AlertsRepository } from './alerts.repository.js';
import { Channels } from './channels/channels.js';
import { AddressBook } from './deliveries/address-book.repository.js';
import { DeliveryAuditor } from './deliveries/auditor.js';
import { Deliverer, DELIVERY_EVIDENCE } from './deliveries/deliverer.js';
import { DeliveriesRepository } from './deliveries/deliveries.repository.js';
import { DeliveryProcess } from './deliveries/delivery-process.js';
import { Outbox } from './deliveries/outbox.js';
import { EscalationsRepository } from './escalations.repository.js';
import { Escalator } from './escalator.js';
import { Notices } from './notices.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsRepository } from './notifications.repository.js';
import { NotificationsService } from './notifications.service.js';
import { Sealer } from './sealer.js';

/** Who is told what, over which channels, and what they have read. */
@Module({
  controllers: [NotificationsController],
  providers: [
    AddressBook,
    Alerting,
    AlertsRepository,
    Channels,
    Deliverer,
    DeliveriesRepository,
    DeliveryAuditor,
    DeliveryProcess,
    EscalationsRepository,
    Escalator,
    Notices,
    NotificationsRepository,
    NotificationsService,
    Outbox,
    Sealer,
    {
      provide: DELIVERY_EVIDENCE,
      inject: [API_SETTINGS],
      useFactory: ({ EVIDENCE_URL }: ApiSettings) => createEvidenceStore(EVIDENCE_URL),
    },
  ],
  exports: [NotificationsService],
})
export class NotificationsModule {}
