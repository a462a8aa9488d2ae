import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiErrors } from '../http/api-errors.js';
import { BeforePasswordChange, CurrentSession, CurrentUser, Public } from './access.decorators.js';
import {
  ChangePasswordRequest,
  LoginRequest,
  SessionUser,
  TokenVerification,
  TokenVerifyRequest,
  Tokens,
} from './auth.dto.js';
import { AuthService } from './auth.service.js';
import type { AuthenticatedUser } from './authenticated-user.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in with user name or e-mail address' })
  @ApiResponse({ status: 200, description: 'Signed in.', standardSchema: Tokens })
  @ApiErrors(400, 401, 429, 503)
  login(@Body({ schema: LoginRequest }) body: LoginRequest, @Req() request: Request): Promise<Tokens> {
    return this.auth.login(body, request.ip ?? 'unknown');
  }

  @Public()
  @Post('token-verify')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'verifyToken',
    summary: 'Check an access token, or exchange a refresh token for new tokens',
    description:
      'A refresh token is good for one use; one that comes again later ends the whole sign-in. Within 10 s a repeated ' +
      'request is taken for two tabs refreshing at once.',
  })
  @ApiResponse({ status: 200, description: 'Whether the token is valid.', standardSchema: TokenVerification })
  @ApiErrors(400, 401)
  verify(@Body({ schema: TokenVerifyRequest }) body: TokenVerifyRequest): Promise<TokenVerification> {
    return this.auth.verify(body);
  }

  @BeforePasswordChange()
  @Post('logout')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'logout', summary: 'End this sign-in' })
  @ApiResponse({ status: 204, description: 'Access token, refresh tokens and sockets of this sign-in are void.' })
  @ApiErrors(401)
  logout(@CurrentSession() sessionId: string, @CurrentUser() user: AuthenticatedUser): Promise<void> {
    return this.auth.logout(sessionId, user.id);
  }

  @BeforePasswordChange()
  @Get('session')
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'getSession', summary: 'Who am I' })
  @ApiResponse({ status: 200, description: 'The signed-in user.', standardSchema: SessionUser })
  @ApiErrors(401)
  session(@CurrentUser() user: AuthenticatedUser): Promise<SessionUser> {
    return this.auth.user(user.id);
  }

  @BeforePasswordChange()
  @Post('change-password')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'changePassword', summary: 'Choose a new password; other sign-ins end' })
  @ApiResponse({ status: 204, description: 'Changed.' })
  @ApiErrors(400, 401, 403, 429)
  changePassword(
    @CurrentUser() user: AuthenticatedUser,
    @CurrentSession() sessionId: string,
    @Body({ schema: ChangePasswordRequest }) body: ChangePasswordRequest,
  ): Promise<void> {
    return this.auth.changePassword(user.id, sessionId, body);
  }
}
