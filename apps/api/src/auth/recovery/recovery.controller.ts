import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiErrors } from '../../http/api-errors.js';
import { Public } from '../access.decorators.js';
import {
  ForgotPasswordRequest,
  ResetPasswordRequest,
  ResetTokenVerification,
  VerifyResetTokenRequest,
} from './recovery.dto.js';
import { RecoveryService } from './recovery.service.js';

@Public()
@ApiTags('auth')
@Controller('auth')
export class RecoveryController {
  constructor(private readonly recovery: RecoveryService) {}

  @Post('forgot-password')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'forgotPassword',
    summary: 'Have a reset code sent to your e-mail address',
    description:
      'The answer is the same whether or not somebody has this address, and whether or not mail can be sent.',
  })
  @ApiResponse({ status: 202, description: 'If somebody has this address, a code is on its way.' })
  @ApiErrors(400, 429)
  forgot(
    @Body({ schema: ForgotPasswordRequest }) { email }: ForgotPasswordRequest,
    @Req() request: Request,
  ): Promise<void> {
    return this.recovery.request(email, request.ip ?? 'unknown');
  }

  @Post('verify-reset-token')
  @HttpCode(200)
  @ApiOperation({ operationId: 'verifyResetToken', summary: 'Whether a reset code is good' })
  @ApiResponse({ status: 200, description: 'Whether it is good.', standardSchema: ResetTokenVerification })
  @ApiErrors(400, 429)
  async verify(
    @Body({ schema: VerifyResetTokenRequest }) { token }: VerifyResetTokenRequest,
    @Req() request: Request,
  ): Promise<ResetTokenVerification> {
    return { valid: await this.recovery.isGood(token, request.ip ?? 'unknown') };
  }

  @Post('reset-password')
  @HttpCode(204)
  @ApiOperation({ operationId: 'resetPassword', summary: 'Choose a new password with a reset code; all sign-ins end' })
  @ApiResponse({ status: 204, description: 'Changed: sign in now.' })
  @ApiErrors(400, 429, 503)
  reset(@Body({ schema: ResetPasswordRequest }) body: ResetPasswordRequest, @Req() request: Request): Promise<void> {
    return this.recovery.reset(body, request.ip ?? 'unknown');
  }
}
