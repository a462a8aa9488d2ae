import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { LOGGER } from '../runtime.module.js';
import { Problem } from './problem.js';
import { REQUEST_ID_HEADER } from './request-id.js';

const USER_STATUS: Readonly<Record<string, number>> = {
  not_found: 404,
  forbidden: 403,
  password_change_required: 403,
  conflict: 409,
  unauthorized: 401,
  too_many: 429,
  precondition_failed: 412,
  unsupported_media_type: 415,
  unprocessable: 422,
};

/** What the HTTP layer itself throws (body parser, router). */
const HttpFault = z.object({ status: z.number().int().min(400).max(499), message: z.string() });

const FAULT_CODES: Readonly<Record<number, string>> = {
  400: 'request.malformed',
  404: 'request.not_found',
  405: 'request.method_not_allowed',
  413: 'request.too_large',
  415: 'request.unsupported_media_type',
};

/** The HTTP status of an {@link AppError}: its kind, and for the caller's own errors the last part of its code. */
export function statusOf(error: AppError): number {
  if (error.kind === 'operational') return 503;
  if (error.kind === 'unexpected') return 500;
  return USER_STATUS[error.code.split('.').at(-1) ?? ''] ?? 400;
}

interface Fault {
  status: number;
  code: string;
  detail: string;
  errors?: Problem['errors'];
}

/** Turns whatever was thrown into what the caller may know; nothing of an unexpected error leaves the process. */
export function faultOf(error: unknown): Fault {
  if (error instanceof AppError && error.kind !== 'unexpected') {
    const errors = Problem.shape.errors.safeParse(error.details['errors']);
    return {
      status: statusOf(error),
      code: error.code,
      detail: error.message,
      ...(errors.success && errors.data !== undefined ? { errors: errors.data } : {}),
    };
  }
  const known = error instanceof HttpException ? { status: error.getStatus(), message: error.message } : error;
  const fault = HttpFault.safeParse(known);
  if (fault.success) {
    const { status, message } = fault.data;
    return { status, code: FAULT_CODES[status] ?? 'request.refused', detail: message };
  }
  return {
    status: 500,
    code: 'server.unexpected',
    detail: 'Something went wrong on our side; the log knows more under this request id.',
  };
}

/** The one place where errors become responses. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const fault = faultOf(error);
    const requestId = String(response.getHeader(REQUEST_ID_HEADER) ?? '');
    if (fault.status >= 500) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.logger.error({ requestId, method: request.method, path: request.path, stack }, messageOf(error));
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (fault.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (error instanceof AppError && typeof error.details['retryAfterSeconds'] === 'number') {
      response.setHeader('Retry-After', String(error.details['retryAfterSeconds']));
    }
    const problem: Problem = {
      type: `urn:vigil:problem:${fault.code}`,
      title: STATUS_CODES[fault.status] ?? 'Error',
      status: fault.status,
      detail: fault.detail,
      code: fault.code,
      instance: request.path,
      requestId,
      ...(fault.errors === undefined ? {} : { errors: fault.errors }),
    };
    response.status(fault.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
