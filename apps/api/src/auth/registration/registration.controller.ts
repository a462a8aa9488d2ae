import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiErrors } from '../../http/api-errors.js';
import { Idempotent } from '../../http/idempotent.js';
import { PageQuery, type Page } from '../../http/pagination.js';
import { Id } from '../../http/params.js';
import { CurrentUser, Public, Roles } from '../access.decorators.js';
import { SessionUser } from '../auth.dto.js';
import type { AuthenticatedUser } from '../authenticated-user.js';
import {
  Availability,
  CheckEmailRequest,
  CheckUsernameRequest,
  CreatedInvitation,
  CreateInvitationRequest,
  Invitation,
  InvitationPage,
  RegisterRequest,
} from './registration.dto.js';
import { RegistrationService } from './registration.service.js';

@ApiTags('auth')
@Controller('auth')
export class RegistrationController {
  constructor(private readonly registration: RegistrationService) {}

  @Public()
  @Post('register')
  @ApiOperation({
    operationId: 'register',
    summary: 'Become an agent',
    description: 'By invitation, open to everybody or closed, as `REGISTRATION` says.',
  })
  @ApiResponse({ status: 201, description: 'Registered: sign in now.', standardSchema: SessionUser })
  @ApiErrors(400, 403, 409, 429, 503)
  register(@Body({ schema: RegisterRequest }) body: RegisterRequest, @Req() request: Request): Promise<SessionUser> {
    return this.registration.register(body, request.ip ?? 'unknown');
  }

  @Public()
  @Post('check-username')
  @HttpCode(200)
  @ApiOperation({ operationId: 'checkUsername', summary: 'Whether a user name is free' })
  @ApiResponse({ status: 200, description: 'Whether it is free.', standardSchema: Availability })
  @ApiErrors(400, 403, 429)
  async checkUsername(
    @Body({ schema: CheckUsernameRequest }) { username }: CheckUsernameRequest,
    @Req() request: Request,
  ): Promise<Availability> {
    return { available: await this.registration.isAvailable(username, request.ip ?? 'unknown') };
  }

  @Public()
  @Post('check-email')
  @HttpCode(200)
  @ApiOperation({ operationId: 'checkEmail', summary: 'Whether an e-mail address is free' })
  @ApiResponse({ status: 200, description: 'Whether it is free.', standardSchema: Availability })
  @ApiErrors(400, 403, 429)
  async checkEmail(
    @Body({ schema: CheckEmailRequest }) { email }: CheckEmailRequest,
    @Req() request: Request,
  ): Promise<Availability> {
    return { available: await this.registration.isAvailable(email, request.ip ?? 'unknown') };
  }

  @Roles('admin')
  @Post('invitations')
  @Idempotent()
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'createInvitation', summary: 'Invite somebody to register as an agent' })
  @ApiResponse({ status: 201, description: 'The invitation and its code.', standardSchema: CreatedInvitation })
  @ApiErrors(400, 401, 403)
  invite(
    @Body({ schema: CreateInvitationRequest }) body: CreateInvitationRequest,
    @CurrentUser() admin: AuthenticatedUser,
  ): Promise<CreatedInvitation> {
    return this.registration.invite(body, admin.id);
  }

  @Roles('admin')
  @Get('invitations')
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'listInvitations', summary: 'All invitations, oldest first' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: InvitationPage })
  @ApiErrors(400, 401, 403)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<Invitation>> {
    return this.registration.list(query);
  }

  @Roles('admin')
  @Delete('invitations/:id')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'deleteInvitation', summary: 'Withdraw an invitation that was not used' })
  @ApiResponse({ status: 204, description: 'Withdrawn.' })
  @ApiErrors(400, 401, 403, 404)
  withdraw(@Param('id', { schema: Id }) id: string): Promise<void> {
    return this.registration.withdraw(id);
  }
}
