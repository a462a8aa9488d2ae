import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { AppError } from '#libs/errors/app-error.js';

/** Where `@ApiConsumes` of @nestjs/swagger keeps what a route takes. */
const CONSUMES = 'swagger/apiConsumes';

/**
 * Refuses bodies of other media types than JSON, and than what a route names by `@ApiConsumes`. Forms of other sites can
 * send text, forms and files without asking; JSON they cannot.
 */
@Injectable()
export class MediaTypes implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() === 'http') this.check(context);
    return next.handle();
  }

  /** @throws AppError `request.unsupported_media_type`. */
  private check(context: ExecutionContext): void {
    const request = context.switchToHttp().getRequest<Request>();
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (length === '0' && encoding === undefined) return;
    const targets = [context.getHandler(), context.getClass()];
    const taken = this.reflector.getAllAndOverride<string[] | undefined>(CONSUMES, targets) ?? ['application/json'];
    if (typeof request.is(taken) === 'string') return;
    throw new AppError('request.unsupported_media_type', 'user', `Send the body as ${taken.join(' or ')}.`);
  }
}
