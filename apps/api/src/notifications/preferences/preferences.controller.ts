import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { NotificationPreferences } from '../policy/preferences.js';
import { PreferencesRepository } from './preferences.repository.js';

@ApiTags('notifications')
@ApiBearerAuth()
@Controller('me/notification-preferences')
export class PreferencesController {
  constructor(private readonly preferences: PreferencesRepository) {}

  @Get()
  @ApiOperation({ operationId: 'getNotificationPreferences', summary: 'How you are told, beside the app' })
  @ApiResponse({ status: 200, description: 'Channels, quiet hours, digest.', standardSchema: NotificationPreferences })
  @ApiErrors(401)
  get(@CurrentUser() user: AuthenticatedUser): Promise<NotificationPreferences> {
    return this.preferences.find(user.id);
  }

  @Put()
  @ApiOperation({
    operationId: 'replaceNotificationPreferences',
    summary: 'Choose how you are told',
    description: 'E-mails go to the address of your account. What is left out gets its default.',
  })
  @ApiResponse({ status: 200, description: 'As they are now.', standardSchema: NotificationPreferences })
  @ApiErrors(400, 401)
  async replace(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: NotificationPreferences }) body: NotificationPreferences,
  ): Promise<NotificationPreferences> {
    await this.preferences.save(user.id, body);
    return body;
  }
}
