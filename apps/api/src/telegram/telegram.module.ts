import { Module } from '@nestjs/common';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { ReviewsModule } from '../reviews/reviews.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { BotCommands } from './bot-commands.js';
import { TelegramBot } from './telegram-bot.js';
import { TelegramClient } from './telegram-client.js';
import { TelegramController } from './telegram.controller.js';
import { TelegramLinksRepository } from './telegram-links.repository.js';
import { TelegramLinksService } from './telegram-links.service.js';
import { TelegramProcess } from './telegram-process.js';

/** The Telegram bot: whose a chat is, and what people ask of it. What is sent of alerts is a channel of notifications. */
@Module({
  imports: [MonitoringModule, NotificationsModule, ReviewsModule, StreamsModule],
  controllers: [TelegramController],
  providers: [BotCommands, TelegramBot, TelegramClient, TelegramLinksRepository, TelegramLinksService, TelegramProcess],
})
export class TelegramModule {}
