import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../http/api-errors.js';
import { ServiceScope } from '../service-tokens/service-scope.js';
import { Forwarded, ForwardRequest } from './forward.dto.js';
import { ForwardService } from './forward.service.js';

/** Lets other services speak to clients. */
@ApiTags('realtime')
@ApiBearerAuth('service')
@Controller('forward-socketio')
export class ForwardController {
  constructor(private readonly forwarding: ForwardService) {}

  @Post()
  @HttpCode(202)
  @ServiceScope('sockets:forward')
  @ApiOperation({
    operationId: 'forwardSocketEvent',
    summary: 'Send an event to connected clients',
    description:
      'For the bearer of a service token with the scope `sockets:forward`. Event, payload and room are held against the contract of /docs/events; it is not kept for replay.',
  })
  @ApiResponse({ status: 202, description: 'It was sent to whoever is connected.', standardSchema: Forwarded })
  @ApiErrors(400, 401, 403, 503)
  forward(@Body({ schema: ForwardRequest }) request: ForwardRequest): Promise<Forwarded> {
    return this.forwarding.forward(request);
  }
}
