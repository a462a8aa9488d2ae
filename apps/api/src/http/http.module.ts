import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { IdempotencyRepository } from './idempotency.repository.js';
import { ProblemFilter } from './problem.filter.js';

/** How errors are told and repeated requests known; the rest of this room is set up by {@link configureHttp}. */
@Global()
@Module({
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }, IdempotencyRepository],
  exports: [IdempotencyRepository],
})
export class HttpModule {}
