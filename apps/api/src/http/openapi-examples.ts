import type { OpenAPIObject } from '@nestjs/swagger';

/** A problem of each status, in its own words: those of the schema are one status only. */
const PROBLEMS: Readonly<Record<string, readonly [title: string, code: string, detail: string]>> = {
  400: ['Bad Request', 'request.invalid', 'The request does not fit what this route takes: see `errors`.'],
  401: ['Unauthorized', 'auth.unauthorized', 'Sign in with POST /api/auth/login, and send the access token.'],
  403: ['Forbidden', 'auth.forbidden', 'Your role does not allow this.'],
  404: ['Not Found', 'stream.not_found', 'There is no such stream: see GET /api/streams.'],
  409: ['Conflict', 'stream.name.conflict', 'A stream of this name exists: choose another name.'],
  412: ['Precondition Failed', 'request.version.precondition_failed', 'Somebody changed it: fetch it again.'],
  413: ['Payload Too Large', 'request.too_large', 'The body is too large.'],
  415: ['Unsupported Media Type', 'request.unsupported_media_type', 'Send `application/json`.'],
  422: ['Unprocessable Entity', 'request.idempotency.unprocessable', 'Send a new Idempotency-Key with a new request.'],
  429: ['Too Many Requests', 'auth.too_many', 'Too many failed attempts: try again in 30 seconds.'],
  503: ['Service Unavailable', 'service.unavailable', 'Something the api depends on is away: try again soon.'],
};

type Schema = Readonly<Record<string, unknown>>;

/** How deep an example goes at most. */
const DEEPEST = 6;

/**
 * Gives every JSON body without an example one that is made of the examples and defaults of its fields: what Swagger UI
 * would make up by itself (`"string"` for any text) is refused by most routes.
 */
export function exemplifyBodies(document: OpenAPIObject): void {
  for (const item of Object.values(document.paths)) {
    for (const operation of [item.post, item.put, item.patch, item.delete]) {
      const body = operation?.requestBody;
      const media = body !== undefined && 'content' in body ? body.content['application/json'] : undefined;
      if (media?.schema === undefined || media.example !== undefined || media.examples !== undefined) continue;
      media.example = exampleOf(document, media.schema as unknown as Schema);
    }
  }
}

/** Shows with each error the problem that it answers with. */
export function exemplifyProblems(document: OpenAPIObject): void {
  const examples = ((document.components ??= {}).examples ??= {});
  for (const [status, [title, code, detail]] of Object.entries(PROBLEMS)) {
    const type = `urn:vigil:problem:${code}`;
    const errors = status === '400' ? { errors: [{ path: 'name', message: 'is too short' }] } : {};
    const path = { instance: '/api/streams', requestId: textOf({ format: 'uuid' }) };
    examples[`Problem${status}`] = { value: { type, title, status: Number(status), detail, code, ...path, ...errors } };
  }
  for (const { get, post, put, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, post, put, patch, remove]) {
      for (const [status, response] of Object.entries(operation?.responses ?? {})) {
        const media =
          response !== undefined && 'content' in response ? response.content?.['application/problem+json'] : undefined;
        if (media === undefined || PROBLEMS[status] === undefined) continue;
        media.examples ??= { problem: { $ref: `#/components/examples/Problem${status}` } };
      }
    }
  }
}

function exampleOf(document: OpenAPIObject, given: Schema, depth = 0): unknown {
  const schema = resolved(document, given);
  for (const value of [schema['example'], schema['const'], schema['default']]) if (value !== undefined) return value;
  if (depth > DEEPEST) return null;
  const [first] = [schema['enum'], schema['anyOf'], schema['oneOf']].filter((list) =>
    Array.isArray(list),
  ) as unknown[][];
  if (first !== undefined)
    return Array.isArray(schema['enum']) ? first[0] : exampleOf(document, first[0] as Schema, depth);
  switch (schema['type']) {
    case 'object':
      return objectOf(document, schema, depth);
    case 'array':
      return Number(schema['minItems'] ?? 0) > 0 ? [exampleOf(document, schema['items'] as Schema, depth + 1)] : [];
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return Math.max(0, Number(schema['minimum'] ?? 0));
    case 'boolean':
      return true;
    default:
      return null;
  }
}

/** What must be there, and what has an example of its own. */
function objectOf(document: OpenAPIObject, schema: Schema, depth: number): Record<string, unknown> {
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const shown = properties.filter(
    ([name, property]) => required.includes(name) || resolved(document, property)['example'] !== undefined,
  );
  return Object.fromEntries(shown.map(([name, property]) => [name, exampleOf(document, property, depth + 1)]));
}

function textOf({ format, minLength }: Schema): string {
  if (format === 'uuid') return '7f0c4a1e-9d53-4c1b-8a56-2f6d0c1b9e11';
  if (format === 'date-time') return '2026-01-01T00:00:00.000Z';
  if (format === 'email') return 'alice@example.com';
  return 'text'.padEnd(Number(minLength ?? 0), '-');
}

function resolved(document: OpenAPIObject, schema: Schema): Schema {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  return (document.components?.schemas?.[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {}) as unknown as Schema;
}
