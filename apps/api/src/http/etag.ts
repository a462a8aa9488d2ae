import {
  applyDecorators,
  createParamDecorator,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { tap, type Observable } from 'rxjs';
import { AppError } from '#libs/errors/app-error.js';
import { ApiErrors } from './api-errors.js';

/** Tags looked at in one `If-Match` at most. */
const MOST_TAGS = 20;

/** The strong entity tag (RFC 9110, section 8.8.3) of a version. */
export function etagOf(version: number): string {
  return `"${String(version)}"`;
}

/** What a request wants to be true before it changes something: its `If-Match` header (RFC 9110, section 13.1.1). */
export class Precondition {
  private constructor(private readonly tags: readonly string[] | null) {}

  /** No header, or `*`, is content with whatever is there. A tag that is malformed or weak fits nothing. */
  static parse(header: string | undefined): Precondition {
    if (header === undefined) return new Precondition(null);
    const tags = header
      .split(',', MOST_TAGS)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '');
    return new Precondition(tags.includes('*') ? null : tags);
  }

  /**
   * Call it with the version of the row as it is inside the transaction that changes it, the row being locked, or make
   * the version part of the `WHERE`: between a check outside and the change somebody else may write.
   * @throws AppError `request.version.precondition_failed` (412) when this is not the version that was meant.
   */
  require(version: number): void {
    if (this.tags === null || this.tags.includes(etagOf(version))) return;
    throw new AppError(
      'request.version.precondition_failed',
      'user',
      'Somebody changed it meanwhile: read it again, apply your change to that and send its new ETag as `If-Match`.',
    );
  }
}

/** The request's {@link Precondition}; documented by {@link ApiIfMatch}. */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): Precondition =>
  Precondition.parse(context.switchToHttp().getRequest<Request>().headers['if-match']),
);

/** Documents `If-Match` and the answer 412 of a route that takes an {@link IfMatch}. */
export function ApiIfMatch(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` that the change was made from; without it whatever is there is changed.',
      schema: { type: 'string', example: '"3"' },
    }),
    ApiErrors(412),
  );
}

/**
 * Sends the entity tag of what the handler returns.
 * @example `@Tagged((stream: Stream) => stream.version)`
 */
export function Tagged<Body>(versionOf: (body: Body) => number): MethodDecorator {
  return applyDecorators(UseInterceptors(tagging(versionOf)));
}

function tagging<Body>(versionOf: (body: Body) => number): Type<NestInterceptor> {
  @Injectable()
  class Tagging implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler<Body>): Observable<Body> {
      const response = context.switchToHttp().getResponse<Response>();
      return next.handle().pipe(tap((body) => response.setHeader('ETag', etagOf(versionOf(body)))));
    }
  }
  return Tagging;
}
