import { z } from 'zod';
import { isPlain } from '../http/plain-text.js';

/** Text that is stored as it was given. */
export function storableText(most: number): z.ZodString {
  return z.string().min(1).max(most).refine(isPlain, 'It holds a NUL character or half of a character: remove it.');
}
