import fc from 'fast-check';
import { HOSTILE_VALUES } from './hostile-values.fixture.js';
import { resolved, type ApiDocument, type JsonSchema } from './operations.fixture.js';

type Any = fc.Arbitrary<unknown>;
const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
const schemas = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

/** How deep generated values go before they are cut off. */
const DEEPEST = 6;
const LONGEST_TEXT = 40;
const LONGEST_ARRAY = 4;

/** Generators of values that a schema takes, of some that it nearly takes, and of some that are meant to hurt. */
export class SchemaCases {
  /**
   * @param ids things that are there, by the plural of what they are: half of the uuids generated are taken from these,
   * and those of fields such as `streamId` mostly of their kind.
   */
  constructor(
    private readonly document: ApiDocument,
    private readonly ids: ReadonlyMap<string, string>,
  ) {}

  /** Three in five fit, one in five nearly, one in five not at all. */
  mixed(schema: JsonSchema): Any {
    return fc.oneof(
      { weight: 6, arbitrary: this.fitting(schema) },
      { weight: 2, arbitrary: this.near(schema) },
      { weight: 1, arbitrary: this.wounded(schema) },
      { weight: 1, arbitrary: fc.oneof(fc.constantFrom(...HOSTILE_VALUES), fc.jsonValue({ maxDepth: 4 })) },
    );
  }

  /** What the schema takes, as far as a schema says. */
  fitting(given: JsonSchema, depth = 0): Any {
    const schema = resolved(this.document, given);
    const made = this.generated(schema, depth);
    const example = schema['example'];
    return example === undefined ? made : fc.oneof(fc.constant(example), made);
  }

  private generated(schema: JsonSchema, depth: number): Any {
    if (depth > DEEPEST) return fc.constant(null);
    if (schema['const'] !== undefined) return fc.constant(schema['const']);
    if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
    const alternatives = [...schemas(schema['anyOf']), ...schemas(schema['oneOf'])];
    if (alternatives.length > 0) return fc.oneof(...alternatives.map((one) => this.fitting(one, depth + 1)));
    const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
    return fc.oneof(...types.map((type) => this.ofType(type, schema, depth)));
  }

  private ofType(type: unknown, schema: JsonSchema, depth: number): Any {
    switch (type) {
      case 'string':
        return this.text(schema);
      case 'integer':
        return fc.integer({
          min: Math.max(number(schema['minimum'], -(2 ** 31)), -(2 ** 31)),
          max: Math.min(number(schema['maximum'], 2 ** 31 - 1), 2 ** 31 - 1),
        });
      case 'number':
        return fc.double({ min: number(schema['minimum'], -1e9), max: number(schema['maximum'], 1e9), noNaN: true });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return this.list(schema, depth);
      case 'object':
        return this.object(schema, depth);
      default:
        return fc.jsonValue({ maxDepth: 3 });
    }
  }

  private text(schema: JsonSchema): Any {
    if (schema['format'] === 'uuid') {
      return this.ids.size === 0 ? fc.uuid() : fc.oneof(fc.constantFrom(...this.ids.values()), fc.uuid());
    }
    if (schema['format'] === 'date-time') {
      return fc
        .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((at) => at.toISOString());
    }
    if (schema['format'] === 'email') return fc.uuid().map((id) => `${id}@example.com`);
    const minLength = number(schema['minLength'], 0);
    const maxLength = Math.max(minLength, Math.min(number(schema['maxLength'], LONGEST_TEXT), LONGEST_TEXT));
    const { pattern } = schema;
    if (typeof pattern === 'string') {
      const shape = matching(pattern);
      if (shape !== null) return shape;
    }
    return fc.string({ unit: 'binary', minLength, maxLength }).map((text) => text.replaceAll(/[\0\p{Cs}]/gu, 'x'));
  }

  private list(schema: JsonSchema, depth: number): Any {
    const prefix = schemas(schema['prefixItems']);
    if (prefix.length > 0) return fc.tuple(...prefix.map((item) => this.fitting(item, depth + 1)));
    const items = isSchema(schema['items']) ? schema['items'] : {};
    const minLength = number(schema['minItems'], 0);
    const maxLength = Math.max(minLength, Math.min(number(schema['maxItems'], LONGEST_ARRAY), LONGEST_ARRAY));
    return fc.array(this.fitting(items, depth + 1), { minLength, maxLength });
  }

  private object(schema: JsonSchema, depth: number): Any {
    const properties = Object.entries(isSchema(schema['properties']) ? schema['properties'] : {});
    if (properties.length === 0)
      return fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
    const model = properties.map(([name, one]) => [name, this.field(name, isSchema(one) ? one : {}, depth)] as const);
    return fc.record(Object.fromEntries(model), { requiredKeys: required });
  }

  private field(name: string, schema: JsonSchema, depth: number): Any {
    const made = this.fitting(schema, depth + 1);
    const known = this.ids.get(`${name.replace(/Ids?$/, '')}s`);
    if (known === undefined || !/Ids?$/.test(name)) return made;
    return fc.oneof(
      { weight: 3, arbitrary: fc.constant(name.endsWith('s') ? [known] : known) },
      { weight: 1, arbitrary: made },
    );
  }

  /** What fits but for one thing: a field is missing, one too many, of another type, or beyond its bounds. */
  private near(schema: JsonSchema): Any {
    const wrong = fc.oneof(
      fc.constantFrom(null, true, -1, 0.5, 1e308, '', ' ', [], {}, [[]]),
      fc.integer({ min: 50, max: 20_000 }).map((length) => 'x'.repeat(length)),
      fc.jsonValue({ maxDepth: 2 }),
    );
    return fc
      .tuple(this.fitting(schema), fc.nat(), fc.constantFrom('drop', 'add', 'change'), wrong)
      .map(([value, which, how, other]) => {
        if (!isSchema(value) || Array.isArray(value)) return other;
        const names = Object.keys(value);
        const name = names[which % Math.max(1, names.length)] ?? 'field';
        if (how === 'add') return { ...value, unknownField: other };
        const { [name]: _gone, ...rest } = value;
        return how === 'drop' ? rest : { ...rest, [name]: other };
      });
  }

  /** What fits but for one field, which is hostile. */
  private wounded(schema: JsonSchema): Any {
    return fc
      .tuple(this.fitting(schema), fc.nat(), fc.constantFrom(...HOSTILE_VALUES))
      .map(([value, which, hostile]) => {
        const fields = isSchema(value) && !Array.isArray(value) ? Object.keys(value) : [];
        const name = fields[which % Math.max(1, fields.length)];
        return name === undefined || !isSchema(value) ? hostile : { ...value, [name]: hostile };
      });
  }
}

/** Texts of a pattern, null where the generator cannot read it. */
function matching(pattern: string): fc.Arbitrary<string> | null {
  try {
    const texts = fc.stringMatching(new RegExp(pattern), { size: 'small' });
    fc.sample(texts, { numRuns: 1, seed: 1 });
    return texts;
  } catch {
    return null;
  }
}
