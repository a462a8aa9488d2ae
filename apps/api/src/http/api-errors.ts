import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

const MEANINGS = {
  400: 'The request does not fit (`request.invalid`, with `errors`).',
  401: 'No valid access token.',
  403: 'The role does not allow this.',
  404: 'Not there, or not yours to see.',
  409: 'It contradicts what is there.',
  412: 'It is no longer at the version of `If-Match`.',
  422: 'This `Idempotency-Key` came with another request before.',
  429: 'Too many attempts; see `Retry-After`.',
  503: 'Something the api depends on is away.',
} as const;

/** Lists the error responses of a route in the OpenAPI document. */
export function ApiErrors(...statuses: (keyof typeof MEANINGS)[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
  );
}
