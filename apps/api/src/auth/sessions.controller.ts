import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../http/api-errors.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import { CurrentSession, CurrentUser } from './access.decorators.js';
import { SignInPage, type SignIn } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import type { AuthenticatedUser } from './authenticated-user.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('auth/sessions')
export class SessionsController {
  constructor(private readonly auth: AuthService) {}

  @Get()
  @ApiOperation({ operationId: 'listSessions', summary: 'Where you are signed in, newest first' })
  @ApiResponse({ status: 200, description: 'All of them: there is one page.', standardSchema: SignInPage })
  @ApiErrors(401)
  async list(@CurrentUser() user: AuthenticatedUser, @CurrentSession() sessionId: string): Promise<Page<SignIn>> {
    return { items: await this.auth.list(user.id, sessionId), nextCursor: null };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'endOtherSessions', summary: 'Sign out everywhere else' })
  @ApiResponse({ status: 204, description: 'All your sign-ins but this one are void, with their sockets.' })
  @ApiErrors(401)
  endOthers(@CurrentUser() user: AuthenticatedUser, @CurrentSession() sessionId: string): Promise<void> {
    return this.auth.endSessions(user.id, sessionId);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'endSession', summary: 'End one of your sign-ins' })
  @ApiResponse({ status: 204, description: 'It is void, with its sockets.' })
  @ApiErrors(400, 401, 404)
  end(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.auth.endSession(id, user.id);
  }
}
