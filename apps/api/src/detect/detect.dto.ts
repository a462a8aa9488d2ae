import { z } from 'zod';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { KeywordTestHit } from '../rules/keywords/keyword-test.dto.js';

/** Characters of an image in base64 at most: the body of a request is limited to 1 MB. */
const MOST_IMAGE_CHARACTERS = 900_000;

export const DetectRequest = z
  .strictObject({
    text: z.string().min(1).max(PHRASE_LIMITS.window).optional().describe('What was written or said.'),
    speech: z
      .boolean()
      .default(false)
      .describe('The text was said: likeness is looked for, evasive spellings are not.'),
    language: z.string().max(20).optional().describe('Language that was spoken; any when left out.'),
    image: z
      .string()
      .min(1)
      .max(MOST_IMAGE_CHARACTERS)
      .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64')
      .optional()
      .describe('A JPEG or PNG in base64.'),
  })
  .refine(({ text, image }) => text !== undefined || image !== undefined, 'wants `text`, `image` or both')
  .meta({ id: 'DetectRequest', example: { text: 'fr33 money for everybody' } });
export type DetectRequest = z.infer<typeof DetectRequest>;

export const DetectResult = z
  .object({
    hits: z.array(KeywordTestHit).describe('Of the enabled keywords in the text, by place; no more than 256.'),
  })
  .meta({ id: 'DetectResult' });
export type DetectResult = z.infer<typeof DetectResult>;
