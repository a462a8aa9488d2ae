import { QueryFailedError } from 'typeorm';
import { z } from 'zod';

/** What `pg` says of a broken unique constraint (SQLSTATE 23505). */
const UniqueViolation = z.object({ code: z.literal('23505'), constraint: z.string() });

/** Name of the unique constraint that a statement broke, null when it failed for another reason. */
export function uniqueViolation(error: unknown): string | null {
  if (!(error instanceof QueryFailedError)) return null;
  const parsed = UniqueViolation.safeParse(error.driverError);
  return parsed.success ? parsed.data.constraint : null;
}

/** What `pg` says of a statement that waited too long for a lock (SQLSTATE 55P03), or took too long at all (57014). */
const Overrun = z.object({ code: z.enum(['55P03', '57014']) });

/** Whether a statement was ended by its `lock_timeout` or `statement_timeout`. */
export function isOverrun(error: unknown): boolean {
  return error instanceof QueryFailedError && Overrun.safeParse(error.driverError).success;
}

/** What `pg` says of a row that refers to one that is not there (SQLSTATE 23503). */
const ForeignKeyViolation = z.object({ code: z.literal('23503') });

/** Whether a statement failed because a row it refers to is not there. */
export function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof QueryFailedError && ForeignKeyViolation.safeParse(error.driverError).success;
}
