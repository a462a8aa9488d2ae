import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Id } from '../../http/params.js';
import { StreamJobsService } from './stream-jobs.service.js';

/** Says that there is no such job before the stream of events begins, for then it would be too late for a status. */
@Injectable()
export class KnownJob implements CanActivate {
  constructor(private readonly jobs: StreamJobsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const id = Id.safeParse(context.switchToHttp().getRequest<Request>().params['id']);
    // An id that is none is refused by the route itself.
    if (id.success) await this.jobs.get(id.data);
    return true;
  }
}
