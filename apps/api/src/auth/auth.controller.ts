import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
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
import { badRefreshToken } from './auth.errors.js';
import { AuthService } from './auth.service.js';
import type { AuthenticatedUser } from './authenticated-user.js';
import { Cookies } from './browser/cookies.js';
import { RefreshTokens } from './refresh-tokens.js';

/** Characters of a `User-Agent` that are kept. */
const MOST_USER_AGENT = 300;

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly refreshTokens: RefreshTokens,
    private readonly cookies: Cookies,
  ) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in with user name or e-mail address' })
  @ApiResponse({ status: 200, description: 'Signed in.', standardSchema: Tokens })
  @ApiErrors(400, 401, 403, 429, 503)
  async login(
    @Body({ schema: LoginRequest }) body: LoginRequest,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    this.cookies.requireAllowedOrigin(request);
    const userAgent = (request.get('User-Agent') ?? '').slice(0, MOST_USER_AGENT);
    const issued = await this.auth.login(body, { userAgent, address: request.ip ?? 'unknown' });
    this.cookies.set(response, issued);
    return issued.tokens;
  }

  @Public()
  @Post('token-verify')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'verifyToken',
    summary: 'Check an access token, or exchange a refresh token for new tokens',
    description:
      'A refresh token is good for one use; one that comes again later ends the whole sign-in. Within 10 s a repeated ' +
      'request is taken for two tabs refreshing at once. In cookie mode an empty body exchanges the refresh token in the ' +
      'cookie; the new tokens are in the cookies alone.',
  })
  @ApiResponse({ status: 200, description: 'Whether the token is valid.', standardSchema: TokenVerification })
  @ApiErrors(400, 401, 403)
  async verify(
    @Body({ schema: TokenVerifyRequest }) body: TokenVerifyRequest,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TokenVerification> {
    if ('token' in body) return this.auth.verify(body.token);
    if ('refreshToken' in body) return { valid: true, ...(await this.auth.refresh(body.refreshToken)).tokens };
    const token = this.cookies.token(request, 'refresh');
    const sessionId = token === undefined ? null : await this.refreshTokens.sessionOf(token);
    if (token === undefined || sessionId === null) throw badRefreshToken();
    this.cookies.requireOwn(request, sessionId);
    const issued = await this.auth.refresh(token);
    this.cookies.set(response, issued);
    // Scripts get no hold of the tokens: what is injected into a page could carry them away.
    return { valid: true, user: issued.tokens.user, expiresIn: issued.tokens.expiresIn };
  }

  @BeforePasswordChange()
  @Post('logout')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'logout', summary: 'End this sign-in' })
  @ApiResponse({ status: 204, description: 'Access token, refresh tokens and sockets of this sign-in are void.' })
  @ApiErrors(401)
  async logout(
    @CurrentSession() sessionId: string,
    @CurrentUser() user: AuthenticatedUser,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.auth.logout(sessionId, user.id);
    this.cookies.clear(response);
  }

  @BeforePasswordChange()
  @Get('session')
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'getSession', summary: 'Who am I' })
  @ApiResponse({ status: 200, description: 'The signed-in user.', standardSchema: SessionUser })
  @ApiErrors(401)
  session(
    @CurrentUser() user: AuthenticatedUser,
    @CurrentSession() sessionId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionUser> {
    this.cookies.tell(response, sessionId);
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
