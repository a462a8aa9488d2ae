import { z } from 'zod';

/** What Postgres cannot hold in a text, or would hold as something else: NUL and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Cs}]/u;

/** Text that is stored as it was given. */
export function storableText(most: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(most)
    .refine((text) => !UNSTORABLE.test(text), 'It holds a NUL character or half of a character: remove it.');
}
