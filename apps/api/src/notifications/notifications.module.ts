import { Module } from '@nestjs/common';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { Alerting } from './alerting.js';
import { AlertsRepository } from './alerts.repository.js';
import { Channels } from './channels/channels.js';
import { AddressBook } from './deliveries/address-book.repository.js';
import { DeliveryAuditor } from './deliveries/auditor.js';
import { Deliverer } from './deliveries/deliverer.js';
import { DeliveriesRepository } from './deliveries/deliveries.repository.js';
import { DeliveriesController } from './deliveries/deliveries.controller.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { DELIVERY_EVIDENCE, DeliveryMessages } from './deliveries/delivery-messages.js';
import { DeliveryProcess } from './deliveries/delivery-process.js';
import { EditsRepository } from './deliveries/edits.repository.js';
import { Holds } from './deliveries/holds.js';
import { MessageEditor } from './deliveries/message-editor.js';
import { Outbox } from './deliveries/outbox.js';
import { EscalationsRepository } from './escalations.repository.js';
import { Escalator } from './escalator.js';
import { Notices } from './notices.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsRepository } from './notifications.repository.js';
import { NotificationsService } from './notifications.service.js';
import { PreferencesController } from './preferences/preferences.controller.js';
import { PreferencesRepository } from './preferences/preferences.repository.js';
import { Sealer } from './sealer.js';
import { SilencesController } from './silences/silences.controller.js';
import { SilencesRepository } from './silences/silences.repository.js';
import { SilencesService } from './silences/silences.service.js';
import { MyWebhooksController } from './webhooks/my-webhooks.controller.js';
import { WatchesController } from './watches/watches.controller.js';
import { WatchesRepository } from './watches/watches.repository.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WebhooksRepository } from './webhooks/webhooks.repository.js';
import { WebhooksService } from './webhooks/webhooks.service.js';

/** Who is told what, over which channels, and what they have read. */
@Module({
  imports: [StreamsModule],
  // Fixed paths before those with ids.
  controllers: [
    NotificationsController,
    DeliveriesController,
    PreferencesController,
    SilencesController,
    MyWebhooksController,
    WebhooksController,
    WatchesController,
  ],
  providers: [
    AddressBook,
    Alerting,
    AlertsRepository,
    Channels,
    Deliverer,
    DeliveriesRepository,
    DeliveriesService,
    DeliveryAuditor,
    DeliveryMessages,
    DeliveryProcess,
    EditsRepository,
    Holds,
    EscalationsRepository,
    Escalator,
    MessageEditor,
    Notices,
    NotificationsRepository,
    NotificationsService,
    Outbox,
    PreferencesRepository,
    Sealer,
    SilencesRepository,
    SilencesService,
    WatchesRepository,
    WebhooksRepository,
    WebhooksService,
    {
      provide: DELIVERY_EVIDENCE,
      inject: [API_SETTINGS],
      useFactory: ({ EVIDENCE_URL }: ApiSettings) => createEvidenceStore(EVIDENCE_URL),
    },
  ],
  exports: [Channels, Holds, Notices, NotificationsService],
})
export class NotificationsModule {}
