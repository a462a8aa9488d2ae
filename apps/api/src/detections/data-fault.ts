import { AppError } from '#libs/errors/app-error.js';

/**
 * SQLSTATE classes that mean the data itself cannot be stored: 22 data exception, 23 integrity constraint, 54 program
 * limit exceeded (PostgreSQL documentation, appendix A). Any other class is about the server or the schema.
 */
const DATA_CLASSES = new Set(['22', '23', '54']);

/** Errors that JavaScript throws for a value it cannot work with; named, since realms have their own classes. */
const VALUE_ERRORS = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ZodError']);

/**
 * Whether a failed batch is to blame on what is in it, so that looking for the culprit makes sense. A server that is
 * away, full, shutting down or without its tables is not: waiting is right there, and nothing may be given up.
 */
export function isDataFault(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const code = sqlStateOf(error);
  if (code !== null) return DATA_CLASSES.has(code.slice(0, 2));
  if (error instanceof AppError) return error.kind !== 'operational';
  return 'name' in error && VALUE_ERRORS.has(String(error.name));
}

function sqlStateOf(error: object): string | null {
  const source = 'driverError' in error && typeof error.driverError === 'object' ? (error.driverError ?? error) : error;
  return 'code' in source && typeof source.code === 'string' && /^[0-9A-Z]{5}$/.test(source.code) ? source.code : null;
}
