import { StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';

/** Faults named in one response at most. */
const MOST_ERRORS = 50;

/** Checks every parameter that has a schema; what does not fit is answered field by field. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new AppError('request.invalid', 'user', 'The request does not fit what this route takes: see `errors`.', {
        errors: issues.slice(0, MOST_ERRORS).map(({ path, message }) => ({
          path: (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
          message,
        })),
      }),
  });
}
