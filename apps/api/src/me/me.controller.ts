import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../http/etag.js';
import { Me, UpdateMeRequest } from './me.dto.js';
import { MeService } from './me.service.js';

const versionOf = ({ version }: Me): number => version;

@ApiTags('me')
@ApiBearerAuth()
@Controller('me')
export class MeController {
  constructor(private readonly me: MeService) {}

  @Get()
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getMe', summary: 'What you say of yourself' })
  @ApiResponse({ status: 200, description: 'You.', standardSchema: Me })
  @ApiErrors(401)
  get(@CurrentUser() user: AuthenticatedUser): Promise<Me> {
    return this.me.get(user.id);
  }

  @Patch()
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateMe', summary: 'Change what you say of yourself' })
  @ApiResponse({ status: 200, description: 'You, as you are now.', standardSchema: Me })
  @ApiErrors(400, 401)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: UpdateMeRequest }) body: UpdateMeRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<Me> {
    return this.me.update(user.id, body, precondition);
  }
}
