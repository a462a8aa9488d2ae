import { Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentUser } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { Id } from '../../http/params.js';
import { StreamsService } from '../../streams/streams.service.js';
import { WatchesRepository } from './watches.repository.js';

export const StreamWatch = z
  .object({ watching: z.boolean().describe('You are told of all that is found on it.') })
  .meta({ id: 'StreamWatch' });
export type StreamWatch = z.infer<typeof StreamWatch>;

/** Being told of a stream by one's own wish. Whoever may not read the stream any more is not told, either. */
@ApiTags('notifications')
@ApiBearerAuth()
@Controller('streams/:id/watch')
export class WatchesController {
  constructor(
    private readonly streams: StreamsService,
    private readonly watches: WatchesRepository,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'getStreamWatch', summary: 'Whether you watch a stream' })
  @ApiResponse({ status: 200, description: 'As it is now.', standardSchema: StreamWatch })
  @ApiErrors(400, 401, 404)
  async get(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) streamId: string,
  ): Promise<StreamWatch> {
    await this.streams.get(user, streamId);
    return { watching: await this.watches.has(user.id, streamId) };
  }

  @Put()
  @ApiOperation({
    operationId: 'watchStream',
    summary: 'Be told of everything that is found on a stream',
    description:
      'Agents are told of the streams assigned to them anyway. An admin who watches is told of all severities, not only ' +
      'from `NOTIFY_ADMINS_FROM` on.',
  })
  @ApiResponse({ status: 200, description: 'You watch it.', standardSchema: StreamWatch })
  @ApiErrors(400, 401, 404)
  async watch(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) streamId: string,
  ): Promise<StreamWatch> {
    await this.streams.get(user, streamId);
    await this.watches.add(user.id, streamId);
    return { watching: true };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'unwatchStream', summary: 'Be told of a stream as your role is' })
  @ApiResponse({ status: 204, description: 'You do not watch it.' })
  @ApiErrors(400, 401, 404)
  async unwatch(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) streamId: string): Promise<void> {
    await this.streams.get(user, streamId);
    await this.watches.remove(user.id, streamId);
  }
}
