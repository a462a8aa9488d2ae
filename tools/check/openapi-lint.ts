import { createConfig, lintFromString } from '@redocly/openapi-core';
import { z } from 'zod';
import { LINT_RULES, NEVER_MISSING, PUBLIC_OPERATIONS } from './openapi-rules.js';

const Media = z.record(z.string(), z.looseObject({ schema: z.unknown().optional(), example: z.unknown().optional() }));
const Operation = z.looseObject({
  operationId: z.string().optional(),
  summary: z.string().optional(),
  tags: z.array(z.string()).optional(),
  security: z.array(z.record(z.string(), z.unknown())).optional(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.looseObject({ content: Media }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: Media.optional() })),
});
type Operation = z.infer<typeof Operation>;
const ApiDocument = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** Answers that have no body. */
const BODILESS = new Set(['202', '204']);

/** What is wrong with an OpenAPI document, by the linter's rules and by those of this project. */
export async function openApiFaults(text: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'], rules: { ...LINT_RULES } });
  const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config });
  const linted = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`);
  return [...linted, ...ownFaults(text)];
}

function ownFaults(text: string): string[] {
  const { paths } = ApiDocument.parse(JSON.parse(text));
  const seen = new Set<string>();
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, value]) => {
      const operation = Operation.parse(value);
      const faults = [...namingFaults(operation, seen), ...answerFaults(path, operation), ...bodyFaults(operation)];
      return faults.map((fault) => `${method.toUpperCase()} ${path}: ${fault}`);
    }),
  );
}

function namingFaults({ operationId = '', summary = '', tags = [], security }: Operation, seen: Set<string>): string[] {
  const faults: string[] = [];
  if (!/^[a-z][A-Za-z0-9]*$/.test(operationId)) faults.push(`its operationId "${operationId}" is not camelCase`);
  if (seen.has(operationId)) faults.push(`its operationId "${operationId}" is another's`);
  seen.add(operationId);
  if (summary === '') faults.push('it has no summary');
  if (tags.length === 0) faults.push('it has no tag');
  const open = (security ?? []).length === 0;
  if (open !== PUBLIC_OPERATIONS.includes(operationId)) {
    faults.push(open ? 'it is open to anybody, and not listed as such in openapi-rules.ts' : 'it is listed as public');
  }
  return faults;
}

/** Statuses that follow from what an operation takes. */
function answerFaults(path: string, operation: Operation): string[] {
  const { operationId = '', parameters, responses, requestBody, security = [] } = operation;
  const faults: string[] = [];
  const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
  if (successes.length === 0) faults.push('it never succeeds');
  for (const status of successes) {
    const content = Object.values(responses[status]?.content ?? {});
    if (content.length === 0 && !BODILESS.has(status)) faults.push(`${status} has no schema`);
    if (content.some(({ schema }) => schema === undefined)) faults.push(`${status} has content without a schema`);
  }
  const takes = (where: string, name?: string): boolean =>
    parameters.some((one) => one.in === where && (name === undefined || one.name === name));
  const wanted: [boolean, string[]][] = [
    [security.length > 0, ['401']],
    [takes('query') || takes('path') || requestBody !== undefined, ['400']],
    [path.includes('{') && !NEVER_MISSING.includes(operationId), ['404']],
    [requestBody !== undefined, ['413', '415']],
    [takes('header', 'If-Match'), ['412']],
    [takes('header', 'Idempotency-Key'), ['409', '422']],
  ];
  for (const [applies, statuses] of wanted) {
    if (!applies) continue;
    for (const status of statuses) if (responses[status] === undefined) faults.push(`it does not declare ${status}`);
  }
  for (const [status, { content = {} }] of Object.entries(responses)) {
    const problem = Object.keys(content).join() === 'application/problem+json';
    if (Number(status) >= 400 && !problem && operationId !== 'getHealth' && operationId !== 'getReadiness') {
      faults.push(`${status} is no problem+json`);
    }
  }
  return faults;
}

function bodyFaults({ requestBody }: Operation): string[] {
  return Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema, example }]) => {
    if (schema === undefined) return [`its ${type} body has no schema`];
    return type === 'application/json' && example === undefined ? [`its ${type} body has no example`] : [];
  });
}
