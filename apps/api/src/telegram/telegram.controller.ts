import { Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { TelegramCode, TelegramLink } from './telegram.dto.js';
import { TelegramLinksService } from './telegram-links.service.js';

@ApiTags('me')
@ApiBearerAuth()
@Controller('me/telegram')
export class TelegramController {
  constructor(private readonly links: TelegramLinksService) {}

  @Get()
  @ApiOperation({ operationId: 'getMyTelegram', summary: 'Whether a Telegram chat of yours is linked' })
  @ApiResponse({ status: 200, description: 'The link, and the bot.', standardSchema: TelegramLink })
  @ApiErrors(401)
  get(@CurrentUser() user: AuthenticatedUser): Promise<TelegramLink> {
    return this.links.get(user.id);
  }

  @Put()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'linkMyTelegram',
    summary: 'Get the code that links a Telegram chat to you',
    description:
      'Open `url`, or send `command` to the bot in a private chat: that chat is then told of alerts, and may ask for what you may. It replaces the chat that is linked now.',
  })
  @ApiResponse({ status: 200, description: 'The code, shown this once.', standardSchema: TelegramCode })
  @ApiErrors(401, 409)
  link(@CurrentUser() user: AuthenticatedUser): Promise<TelegramCode> {
    return this.links.begin(user);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'unlinkMyTelegram', summary: 'Unlink your Telegram chat, and void a code' })
  @ApiResponse({ status: 204, description: 'No chat is linked.' })
  @ApiErrors(401)
  unlink(@CurrentUser() user: AuthenticatedUser): Promise<void> {
    return this.links.remove(user);
  }
}
