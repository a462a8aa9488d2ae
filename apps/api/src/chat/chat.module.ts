import { Module } from '@nestjs/common';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { ChatController } from './chat.controller.js';
import { ChatIntake } from './chat-intake.js';
import { ChatService } from './chat.service.js';
import { KickHookController } from './kick-hook.controller.js';
import { KickPublicKey } from './kick-webhook-key.js';

/** Chat that comes to the api, on its way to the monitors. */
@Module({
  imports: [StreamsModule],
  controllers: [ChatController, KickHookController],
  providers: [
    ChatIntake,
    ChatService,
    {
      provide: KickPublicKey,
      inject: [API_SETTINGS],
      useFactory: ({ KICK_PUBLIC_KEY_URL: url }: ApiSettings) => new KickPublicKey({ url, fetch, now: Date.now }),
    },
  ],
})
export class ChatModule {}
