import fc from 'fast-check';
import { HOSTILE_BODIES, HOSTILE_KINDS, HOSTILE_TEXTS, HOSTILE_VALUES } from './hostile-values.fixture.js';
import { bodySchemaOf, resolved, type ApiDocument, type ApiOperation, type JsonSchema } from './operations.fixture.js';
import { SchemaCases } from './schema-cases.fixture.js';

/** One request, all but who sends it. */
export interface OperationCase {
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

type Texts = readonly (readonly [name: string, text: string])[];

const HEADER_TEXTS = ['"1"', '"1", "2"', '*', 'W/"1"', '1', '"', 'key-1', 'with space', 'x'.repeat(300), '__proto__'];
/** What a query parser may make an object, a list or a prototype of. */
const QUERY_TAILS = ['[$gt]=', '[__proto__][admin]=1', '[]=1', '=1&KEY=2', '[constructor][prototype]=1'];
const JSON_TYPE = { 'content-type': 'application/json' };

/** Requests that try one operation. */
export class OperationCases {
  private readonly cases: SchemaCases;
  private readonly bodySchema: JsonSchema | undefined;

  constructor(
    private readonly document: ApiDocument,
    private readonly operation: ApiOperation,
    ids: ReadonlyMap<string, string>,
    private readonly pathIds: ReadonlyMap<string, readonly string[]>,
  ) {
    this.cases = new SchemaCases(document, ids);
    this.bodySchema = bodySchemaOf(operation);
  }

  /** As many requests as asked for, the same for the same seed. */
  generated(count: number, seed: number): OperationCase[] {
    const { bodySchema } = this;
    const body =
      bodySchema === undefined
        ? fc.constant(undefined)
        : fc.oneof(
            { weight: 12, arbitrary: this.cases.mixed(bodySchema).map((value) => JSON.stringify(value) ?? 'null') },
            { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_BODIES) },
          );
    const one = fc
      .tuple(this.pathTexts(), this.texts('query'), this.headers(), body)
      .map(([path, query, headers, text]) => this.request(path, query, headers, text));
    return fc.sample(one, { numRuns: count, seed });
  }

  /** Every hostile value in every place there is: fields of the body, keys of the query, parameters of the path. */
  hostile(seed: number): OperationCase[] {
    const sample = <T>(from: fc.Arbitrary<T>): T => fc.sample(from, { numRuns: 1, seed })[0] as T;
    const path = sample(this.pathTexts());
    const { bodySchema } = this;
    const fitting = bodySchema === undefined ? undefined : this.cases.fitting(bodySchema);
    const body = fitting === undefined ? undefined : JSON.stringify(sample(fitting));
    const cases: OperationCase[] = [];
    for (const [name] of path) {
      for (const hostile of HOSTILE_TEXTS) {
        cases.push(
          this.request(
            path.map(([key, text]) => [key, key === name ? hostile : text] as const),
            [],
            {},
            body,
          ),
        );
      }
    }
    for (const { name } of this.parameters('query')) {
      for (const hostile of HOSTILE_TEXTS) cases.push(this.request(path, [[name, hostile]], {}, body));
      for (const tail of QUERY_TAILS) {
        const request = this.request(path, [], {}, body);
        cases.push({ ...request, path: `${request.path}?${name}${tail.replace('KEY', name)}` });
      }
    }
    if (bodySchema !== undefined) {
      for (const text of HOSTILE_BODIES) cases.push(this.request(path, [], {}, text));
      for (const field of this.fieldsOf(bodySchema)) {
        for (const hostile of field.length > 1 ? HOSTILE_KINDS : HOSTILE_VALUES) {
          cases.push(
            this.request(path, [], {}, JSON.stringify(withField(sample(fitting ?? fc.constant({})), field, hostile))),
          );
        }
      }
    }
    return cases;
  }

  private request(path: Texts, query: Texts, headers: Record<string, string>, body: string | undefined): OperationCase {
    const filled = path.reduce(
      (text, [name, value]) => text.replace(`{${name}}`, () => encoded(value)),
      this.operation.path,
    );
    const search = query.map(([name, value]) => `${encodeURIComponent(name)}=${encoded(value)}`).join('&');
    return {
      path: search === '' ? filled : `${filled}?${search}`,
      headers: { ...headers, ...(body === undefined ? {} : JSON_TYPE) },
      body,
    };
  }

  private parameters(where: string): ApiOperation['parameters'] {
    return this.operation.parameters.filter((parameter) => parameter.in === where);
  }

  /** Mostly ids of things that are there. */
  private pathTexts(): fc.Arbitrary<Texts> {
    const texts = this.parameters('path').map(({ name, schema }) => {
      const known = this.pathIds.get(name) ?? [];
      const [first] = known;
      const text = fc.oneof(
        ...(first === undefined ? [] : [{ weight: 6, arbitrary: fc.constant(first) }]),
        ...(known.length === 0 ? [] : [{ weight: 2, arbitrary: fc.constantFrom(...known) }]),
        { weight: 1, arbitrary: this.cases.fitting(schema ?? { type: 'string' }).map(String) },
        { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
      );
      return text.map((value) => [name, value] as const);
    });
    return fc.tuple(...texts);
  }

  private texts(where: string): fc.Arbitrary<Texts> {
    const texts = this.parameters(where).map(({ name, schema }) =>
      fc
        .oneof(
          { weight: 5, arbitrary: fc.constant(null) },
          { weight: 5, arbitrary: this.cases.fitting(schema ?? {}).map(String) },
          { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
        )
        .map((value) => (value === null ? null : ([name, value] as const))),
    );
    return fc.tuple(...texts).map((all) => all.filter((one) => one !== null));
  }

  private headers(): fc.Arbitrary<Record<string, string>> {
    const each = this.parameters('header')
      .filter(({ name }) => name.toLowerCase() !== 'authorization')
      .map(({ name }) =>
        fc
          .option(fc.oneof(fc.constantFrom(...HEADER_TEXTS), fc.uuid()))
          .map((text) => (text === null ? {} : { [name.toLowerCase()]: text })),
      );
    return fc.tuple(...each).map((all) => Object.assign({}, ...all) as Record<string, string>);
  }

  /** Paths of the fields of a body, two levels deep. */
  private fieldsOf(given: JsonSchema, depth = 0): string[][] {
    const schema = resolved(this.document, given);
    const alternatives = ['anyOf', 'oneOf', 'allOf'].flatMap((key) =>
      Array.isArray(schema[key]) ? (schema[key] as JsonSchema[]) : [],
    );
    const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
    const own = properties.flatMap(([name, property]) => [
      [name],
      ...(depth < 1 ? this.fieldsOf(property, depth + 1).map((rest) => [name, ...rest]) : []),
    ]);
    const items =
      typeof schema['items'] === 'object' && depth < 2
        ? this.fieldsOf(schema['items'] as JsonSchema, depth + 1).map((rest) => ['0', ...rest])
        : [];
    const all = [...own, ...items, ...alternatives.flatMap((one) => this.fieldsOf(one, depth))];
    return [...new Map(all.map((field) => [field.join('.'), field])).values()];
  }
}

/** Percent-encoded, and an empty one as a space: without it another path would be meant. Half characters are replaced. */
function encoded(text: string): string {
  if (text === '%E0%A4%A%') return text;
  const sendable = Buffer.from(text).toString();
  return encodeURIComponent(sendable === '' ? ' ' : sendable);
}

function withField(value: unknown, [name = '', ...rest]: readonly string[], hostile: unknown): unknown {
  const inner = (old: unknown): unknown => (rest.length === 0 ? hostile : withField(old, rest, hostile));
  if (name === '0') return [inner(Array.isArray(value) ? value[0] : undefined)];
  const fields =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  return { ...fields, [name]: inner(fields[name]) };
}
