import { z } from 'zod';
import { Box } from '#libs/contracts/primitives.js';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { isPlain } from '../http/plain-text.js';
import { KeywordTestHit } from '../rules/keywords/keyword-test.dto.js';

/** Characters of an image in base64 at most: a JSON body is limited to 1 MB. */
const MOST_IMAGE_CHARACTERS = 900_000;
/** A form says numbers and truths as text. */
const TRUTHS = { truthy: ['true'], falsy: ['false'] };

const FIELDS = {
  text: z
    .string()
    .min(1)
    .max(PHRASE_LIMITS.window)
    .refine(isPlain, 'must hold no null character and no half of a surrogate pair')
    .optional()
    .describe('What was written or said.'),
  speech: z.boolean().default(false).describe('The text was said: likeness is looked for, evasive spellings are not.'),
  language: z.string().max(20).optional().describe('Language that was spoken; any when left out.'),
  detector: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,49}$/)
    .optional()
    .describe('Which detector looks at the image: an id of GET /detectors; any when left out.'),
  minConfidence: z.number().min(0).max(1).default(0.3).describe('Objects below it are left out.'),
};

export const DetectRequest = z
  .strictObject({
    ...FIELDS,
    image: z
      .base64()
      .min(1)
      .max(MOST_IMAGE_CHARACTERS)
      .optional()
      .describe('A JPEG, PNG, WebP or GIF (its first frame), in base64; larger ones in a form.'),
  })
  .refine(({ text, image }) => text !== undefined || image !== undefined, 'wants `text`, `image` or both')
  .meta({ id: 'DetectRequest', example: { text: 'fr33 money for everybody' } });
export type DetectRequest = z.infer<typeof DetectRequest>;

/** The fields of a form beside the file. */
export const DetectForm = z.strictObject({
  ...FIELDS,
  speech: z.stringbool(TRUTHS).default(false),
  minConfidence: z
    .string()
    .regex(/^\d(\.\d{1,9})?$/)
    .transform(Number)
    .pipe(FIELDS.minConfidence.unwrap())
    .default(0.3),
});

const FoundObject = z
  .object({
    label: z.string(),
    confidence: z.number().min(0).max(1),
    box: Box.describe('[x1, y1, x2, y2] in pixels of the image as it is shown, turned upright.'),
    detector: z.string().describe('Id of the detector that found it.'),
  })
  .meta({ id: 'FoundObject' });

export const DetectResult = z
  .object({
    hits: z.array(KeywordTestHit).describe('Of the enabled keywords in the text, by place; no more than 256.'),
    objects: z.array(FoundObject).describe('In the image, best first; no more than 300.'),
    image: z
      .object({
        width: z.number().int().positive().describe('Pixels, turned upright.'),
        height: z.number().int().positive(),
        model: z.string().describe('Which model looked.'),
      })
      .nullable()
      .describe('What was looked at; null without an image.'),
  })
  .meta({ id: 'DetectResult' });
export type DetectResult = z.infer<typeof DetectResult>;
