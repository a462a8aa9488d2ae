import type { OpenAPIObject } from '@nestjs/swagger';

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
