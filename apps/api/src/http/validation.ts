import { StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';

/** Faults named in one response at most. */
const MOST_ERRORS = 50;

/** What a schema found wrong, as Standard Schema has it. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Checks every parameter that has a schema; what does not fit is answered field by field. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: invalidRequest,
  });
}

/** The answer to a request that does not fit, field by field. */
export function invalidRequest(issues: readonly Issue[]): AppError {
  return new AppError('request.invalid', 'user', 'The request does not fit what this route takes: see `errors`.', {
    errors: issues.slice(0, MOST_ERRORS).map(({ path, message }) => ({
      path: (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
      message,
    })),
  });
}
