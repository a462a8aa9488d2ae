import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { IdempotencyRepository } from './idempotency.repository.js';
import { MediaTypes } from './media-types.js';
import { ProblemFilter } from './problem.filter.js';

/** How errors are told and repeated requests known; the rest of this room is set up by {@link configureHttp}. */
@Global()
@Module({
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_INTERCEPTOR, useClass: MediaTypes },
    IdempotencyRepository,
  ],
  exports: [IdempotencyRepository],
})
export class HttpModule {}
