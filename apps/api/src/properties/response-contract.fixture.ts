import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Reply } from './loopback.fixture.js';
import type { ApiDocument, ApiOperation } from './operations.fixture.js';

/** What no caller may ever read: frames of a stack, files of ours, statements and complaints of the database. */
const INNARDS =
  /\n\s+at .+:\d+:\d+|\\n\s+at .+:\d+:\d+|node_modules|QueryFailedError|EntityMetadata|(SELECT|INSERT INTO|UPDATE|DELETE FROM) \\?"\w+|violates \w+(-\w+)?( \w+)? constraint|syntax error at or near|invalid input syntax|\/(dist|apps)\/.+\.[jt]s\b/;

/** Operations that need something that no test of the api alone has: a monitor that looks at single images. */
const AWAY = new Set(['detect']);

/** Checks answers against what the document says of them. */
export class ResponseContract {
  private readonly ajv: Ajv2020;

  constructor(document: ApiDocument) {
    this.ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
    formats.default(this.ajv);
    this.ajv.addSchema(document, 'openapi');
  }

  /** @returns what is wrong with an answer, null when it keeps to the document. */
  fault(operation: ApiOperation, reply: Reply): string | null {
    const { status, type, text } = reply;
    const away = status === 503 && AWAY.has(operation.operationId);
    if (status >= 500 && !away) return `answers ${String(status)}: ${text.slice(0, 300)}`;
    const declared = operation.responses[String(status)];
    if (declared === undefined) return `answers ${String(status)}, which it does not declare: ${text.slice(0, 300)}`;
    const [media = ''] = type.split(';');
    if (INNARDS.test(text)) return `shows its innards: ${text.slice(0, 300)}`;
    const kinds = Object.keys(declared.content ?? {});
    if (kinds.length === 0) return text === '' ? null : `${String(status)} has a body that is not declared`;
    if (status >= 400 && media !== 'application/problem+json') return `${String(status)} is ${type}, not problem+json`;
    if (!kinds.includes(media)) return `${String(status)} is ${type}, declared are ${kinds.join(', ')}`;
    if (!media.includes('json') || declared.content?.[media]?.schema === undefined) return null;
    const validate = this.validator(operation, status, media);
    return validate(JSON.parse(text))
      ? null
      : `${String(status)} does not fit its schema: ${this.ajv.errorsText(validate.errors)} in ${text.slice(0, 300)}`;
  }

  private validator({ method, path }: ApiOperation, status: number, media: string): ValidateFunction {
    const parts = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', media, 'schema'];
    const pointer = parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const ref = `openapi#/${pointer}`;
    const known = this.ajv.getSchema(ref);
    if (known === undefined) throw new Error(`${ref} is not in the document`);
    return known;
  }
}
