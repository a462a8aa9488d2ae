import { z } from 'zod';

/** A JSON Schema 2020-12 as it stands in the document. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const Content = z.record(
  z.string(),
  z.object({ schema: z.record(z.string(), z.unknown()).optional(), example: z.unknown().optional() }),
);
const Operation = z.object({
  operationId: z.string(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()).optional() }))
    .default([]),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
/** As much of an OpenAPI 3.1 document as driving its operations takes. */
export const ApiDocument = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
export type ApiDocument = z.infer<typeof ApiDocument>;

/** One operation of the document. */
export interface ApiOperation extends z.infer<typeof Operation> {
  /** `GET`. */
  method: string;
  /** `/api/streams/{id}`. */
  path: string;
}

export function operationsOf(document: ApiDocument): ApiOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      method: method.toUpperCase(),
      path,
      ...Operation.parse(item[method]),
    })),
  );
}

/** The schema that a `$ref` stands for; any other is itself. */
export function resolved(document: ApiDocument, schema: JsonSchema): JsonSchema {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  const target = document.components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (target === undefined) throw new Error(`${$ref} is not in the document`);
  return target;
}

/** The schema of a JSON body that an operation takes, undefined when it takes none. */
export function bodySchemaOf({ requestBody }: ApiOperation): JsonSchema | undefined {
  return requestBody?.content['application/json']?.schema;
}
