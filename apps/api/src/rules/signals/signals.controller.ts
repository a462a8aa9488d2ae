import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Roles } from '../../auth/access.decorators.js';
import { ApiErrors } from '../../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../../http/etag.js';
import { SignalRuleList, SignalRuleView, UpdateSignalRuleRequest } from './signals.dto.js';
import { SignalsService } from './signals.service.js';

const Name = z.string().max(50);

const versionOf = ({ version }: SignalRuleView): number => version;

@ApiTags('signals')
@ApiBearerAuth()
@Controller('signals')
export class SignalsController {
  constructor(private readonly signals: SignalsService) {}

  @Get()
  @ApiOperation({ operationId: 'listSignals', summary: 'What is told without a keyword or an object: all there is' })
  @ApiResponse({ status: 200, description: 'All of them.', standardSchema: SignalRuleList })
  @ApiErrors(401)
  list(): Promise<SignalRuleList> {
    return this.signals.list();
  }

  @Get(':signal')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getSignal', summary: 'One signal' })
  @ApiResponse({ status: 200, description: 'The signal.', standardSchema: SignalRuleView })
  @ApiErrors(400, 401, 404)
  get(@Param('signal', { schema: Name }) signal: string): Promise<SignalRuleView> {
    return this.signals.get(signal);
  }

  @Roles('admin')
  @Patch(':signal')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateSignal', summary: 'Say whether, how gravely and how often a signal is told' })
  @ApiResponse({ status: 200, description: 'The signal as it is now.', standardSchema: SignalRuleView })
  @ApiErrors(400, 401, 403, 404)
  update(
    @Param('signal', { schema: Name }) signal: string,
    @Body({ schema: UpdateSignalRuleRequest }) body: UpdateSignalRuleRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<SignalRuleView> {
    return this.signals.update(signal, body, precondition);
  }
}
