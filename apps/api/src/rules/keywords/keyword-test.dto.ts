import { z } from 'zod';
import { PHRASE_LIMITS, PhraseView } from '#libs/phrases/phrase-rule.js';
import { CreateKeywordRequest } from './keywords.dto.js';

/** Rules that one test asks about by name, and drafts of one test. */
const MOST_ASKED = 50;

export const KeywordTestRequest = z
  .strictObject({
    text: z.string().min(1).max(PHRASE_LIMITS.window).describe('What was written or said.'),
    speech: z.boolean().default(false).describe('It was said: likeness is looked for, evasive spellings are not.'),
    language: z.string().max(20).optional().describe('Language that was spoken; any when left out.'),
    rules: z.array(CreateKeywordRequest).max(MOST_ASKED).optional().describe('Drafts; admins alone.'),
    ruleIds: z.array(z.uuid()).max(MOST_ASKED).optional().describe('Stored rules, also those that are turned off.'),
  })
  .describe('With neither `rules` nor `ruleIds`: all enabled rules that apply.')
  .meta({ id: 'KeywordTestRequest' });
export type KeywordTestRequest = z.infer<typeof KeywordTestRequest>;

/** Which rule: a stored one by its id, or a draft by its place in the request. */
const Asked = z.object({
  ruleId: z.uuid().nullable(),
  draft: z.number().int().nullable().describe('Place of the draft in `rules`, from 0.'),
  label: z.string(),
  pattern: z.string(),
});
export type Asked = z.infer<typeof Asked>;

export const KeywordTestHit = Asked.extend({
  start: z.number().int().describe('UTF-16 offset in the text.'),
  end: z.number().int(),
  matched: z.string().describe('What of the text it is.'),
  view: PhraseView,
  confidence: z.number(),
  why: z.string().meta({ example: 'read as leet: fr33 → free' }),
}).meta({ id: 'KeywordTestHit' });
export type KeywordTestHit = z.infer<typeof KeywordTestHit>;

const KeywordTestMiss = Asked.extend({ why: z.string() }).meta({ id: 'KeywordTestMiss' });
export type KeywordTestMiss = z.infer<typeof KeywordTestMiss>;

export const KeywordTestResult = z
  .object({
    hits: z.array(KeywordTestHit).describe('By place; no more than 256.'),
    misses: z.array(KeywordTestMiss).describe('Rules that were asked about by name and did not hit.'),
  })
  .meta({ id: 'KeywordTestResult' });
export type KeywordTestResult = z.infer<typeof KeywordTestResult>;
