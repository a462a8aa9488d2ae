import { z } from 'zod';

const Coded = z.object({ code: z.string() });

/** The system's code of an error (`ENOSPC`), or its text. Works for errors of another realm too. */
export function errorCode(error: unknown): string {
  return Coded.safeParse(error).data?.code ?? String(error);
}
