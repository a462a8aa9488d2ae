import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Roles } from '../auth/access.decorators.js';
import { ApiErrors } from '../http/api-errors.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { AuditPage, AuditQuery, viewOf, type AuditEntry } from './audit.dto.js';
import { AuditRepository } from './audit.repository.js';

const Position = z.tuple([z.string().regex(/^\d{1,19}$/)]);

/** Who did what to what. */
@ApiTags('operations')
@ApiBearerAuth()
@Roles('admin')
@Controller('logs')
export class AuditController {
  constructor(private readonly repository: AuditRepository) {}

  @Get()
  @ApiOperation({
    operationId: 'listAuditEntries',
    summary: 'The audit trail, newest first',
    description: 'Append-only. Example: `?targetType=stream&action=stream.deleted`.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: AuditPage })
  @ApiErrors(400, 401, 403)
  async list(@Query({ schema: AuditQuery }) query: AuditQuery): Promise<Page<AuditEntry>> {
    const { limit, cursor, ...filter } = query;
    const before = decodeCursor(cursor, Position)?.[0] ?? null;
    const rows = await this.repository.list({ ...filter, before, limit: limit + 1 });
    return toPage(rows, limit, ({ seq }) => [seq], viewOf);
  }
}
