import type { INestApplication } from '@nestjs/common';
import {
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
  type StandardSchemaConversionResult,
} from '@nestjs/swagger';
import { z } from 'zod';
import { ACCESS_COOKIE, CSRF_HEADER } from '../auth/browser/cookies.js';
import { exemplifyBodies, exemplifyProblems } from './openapi-examples.js';
import { INTRODUCTION, TAGS } from './openapi-words.js';
import { Problem } from './problem.js';
import { SWAGGER_UI } from './swagger-ui.js';

/** Where the documentation is served. */
export const DOCUMENTATION_PATHS = ['/docs', '/openapi.json', '/openapi.yaml'];

/** A table with a header line, as routes that take `text/csv` read it. */
const CSV_EXAMPLE = 'name,url\nMain stage,https://example.com/live/index.m3u8\n';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Parameter = NonNullable<OperationObject['parameters']>[number];
type JsonSchema = Record<string, unknown>;

/**
 * A zod schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. Schemas with an id become components.
 * Objects in responses stay open: a client must not break when a later version says more.
 */
export function convertSchema(
  schema: unknown,
  { schemaType }: { schemaType: 'input' | 'output' },
): StandardSchemaConversionResult | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const converted = z.toJSONSchema(schema, {
    io: schemaType,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      if (schemaType === 'output') ease(jsonSchema);
      delete jsonSchema.id;
    },
  }) as JsonSchema;
  const { $defs, $schema: _dialect, ...root } = converted;
  return { schema: root, components: ($defs ?? {}) as Record<string, JsonSchema> };
}

/**
 * What a client need not hold an answer against: closed objects, the expression behind a named format, the bounds of
 * any integer. Swagger UI makes its samples of them, which nobody can read.
 */
function ease(schema: JsonSchema): void {
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (schema['format'] !== undefined) delete schema['pattern'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
}

/** The schema of a body that a route reads by itself, in place of the component of this name. */
export function inPlace(schema: z.ZodType, id: string): JsonSchema {
  const components = convertSchema(schema, { schemaType: 'input' })?.components as
    Record<string, JsonSchema> | undefined;
  return { ...components?.[id] };
}

/** The OpenAPI 3.1 document of everything the application serves. */
export function createOpenApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Vigil')
    .setDescription(INTRODUCTION)
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'Where this document comes from.')
    .addBearerAuth({
      ...{ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      description: 'For people: the `accessToken` that POST /api/auth/login answers with, without the word Bearer.',
    })
    .addBearerAuth(
      {
        ...{ type: 'http', scheme: 'bearer' },
        description: 'For other programs, on the few routes that say so: a token of POST /api/service-tokens.',
      },
      'service',
    )
    .addApiKey(
      {
        type: 'apiKey',
        in: 'cookie',
        name: ACCESS_COOKIE,
        description: 'Of browsers, with `COOKIE_AUTH`: set by login.',
      },
      'cookie',
    )
    .addApiKey(
      {
        ...{ type: 'apiKey', in: 'header', name: CSRF_HEADER },
        description: 'Beside the cookie, for whatever changes something: from GET /api/auth/session.',
      },
      'csrf',
    )
    .build();
  config.tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  const document = SwaggerModule.createDocument(app, config, { standardSchemaConverter: convertSchema });
  // Health is served twice; once is enough to read.
  document.paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => path.startsWith('/api/')));
  describeBodyFaults(document);
  describeSignIns(document);
  for (const operation of operationsOf(document)) {
    // What OpenAPI says to ignore, Swagger UI asks for all the same: the scheme of the route sends it.
    operation.parameters = operation.parameters?.filter((parameter) => !isAuthorization(parameter));
    for (const parameter of operation.parameters ?? []) tellExample(parameter);
  }
  document.components ??= {};
  const problem = convertSchema(Problem, { schemaType: 'output' });
  Object.assign((document.components.schemas ??= {}), problem?.components);
  exemplifyBodies(document);
  exemplifyProblems(document);
  return document;
}

/**
 * Who is let in by a bearer token is let in by the cookie, too, with a CSRF token where something is changed; and is
 * refused everything but a new password while one is due. Said of each, so that a generator need not guess.
 */
function describeSignIns(document: OpenAPIObject): void {
  for (const { get, post, put, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, post, put, patch, remove]) {
      if (operation === undefined) continue;
      operation.security ??= [];
      if (!operation.security.some((scheme) => 'bearer' in scheme)) continue;
      operation.security.push(operation === get ? { cookie: [] } : { cookie: [], csrf: [] });
      operation.responses['403'] ??= {
        description:
          operation === get
            ? 'A new password is due first (`auth.password_change_required`).'
            : 'A new password is due first, or a cookie came without its CSRF token.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      };
    }
  }
}

/** What every route with a body answers to one that is too large or of another media type; and that CSV is a text. */
function describeBodyFaults(document: OpenAPIObject): void {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  for (const operation of operationsOf(document)) {
    if (operation.requestBody === undefined) continue;
    const csv = 'content' in operation.requestBody ? operation.requestBody.content['text/csv'] : undefined;
    if (csv !== undefined) csv.schema = { type: 'string', example: CSV_EXAMPLE };
    const form = 'content' in operation.requestBody ? operation.requestBody.content['multipart/form-data'] : undefined;
    if (form?.schema !== undefined) form.schema = withFiles(form.schema as JsonSchema);
    operation.responses['413'] ??= { description: 'The body is too large.', content: structuredClone(content) };
    operation.responses['415'] ??= {
      description: 'The body is of a media type that the route does not take.',
      content: structuredClone(content),
    };
  }
}

/** The schema of a form: what is base64 in JSON is a file there. */
function withFiles(schema: JsonSchema): JsonSchema {
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>).map(([name, field]) => [
    name,
    field['contentEncoding'] === 'base64'
      ? { type: 'string', format: 'binary', description: 'The file; its content counts, not its name.' }
      : field,
  ]);
  return { ...schema, properties: Object.fromEntries(fields) };
}

function operationsOf(document: OpenAPIObject): OperationObject[] {
  return Object.values(document.paths).flatMap(({ get, post, put, patch, delete: remove }) =>
    [get, post, put, patch, remove].filter((operation) => operation !== undefined),
  );
}

/** Swagger UI sends the example of a filter as if it were chosen: said in words, it is not. */
function tellExample(parameter: Parameter): void {
  if (!('in' in parameter) || parameter.in !== 'query' || parameter.required === true) return;
  const { schema, description = '' } = parameter;
  if (schema === undefined || !('example' in schema) || schema.example === undefined) return;
  parameter.description = `${description} For instance \`${String(schema.example)}\`.`.trim();
  delete schema.example;
}

function isAuthorization(parameter: Parameter): boolean {
  return 'in' in parameter && parameter.in === 'header' && parameter.name.toLowerCase() === 'authorization';
}

/** Serves Swagger UI at `/docs` and the document at `/openapi.json`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApi(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    ...SWAGGER_UI,
  });
}
