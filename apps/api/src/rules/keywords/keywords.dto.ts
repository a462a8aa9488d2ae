import { z } from 'zod';
import { KeywordRule } from '#libs/contracts/captures.js';
import { Severity } from '#libs/contracts/primitives.js';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { pageOf, PageQuery } from '../../http/pagination.js';
import { QueryFlag } from '../../http/params.js';
import { storableText } from '../storable-text.js';
import type { KeywordFields, KeywordRuleEntity } from './keyword-rule.entity.js';

/** Rules of one import. */
const MOST_IMPORTED = 5_000;

const Label = storableText(200).describe('What people call it; the pattern when left out.').meta({ example: 'scam' });
const Pattern = storableText(1_000)
  .describe(
    'A literal is matched in words: `cat` the word, `cat*` its beginning, `*cat` its end, `*cat*` anywhere; up to ' +
      `${String(PHRASE_LIMITS.literalLength)} characters. A regex is RE2 syntax (no look-around, no ` +
      `back-references), up to ${String(PHRASE_LIMITS.regexLength)} characters.`,
  )
  .meta({ example: 'free money' });
const Kind = KeywordRule.shape.kind.meta({ id: 'KeywordKind' });
const Allow = z
  .array(storableText(PHRASE_LIMITS.literalLength))
  .max(PHRASE_LIMITS.allowPerRule)
  .describe('Literals: a hit that lies wholly inside one of them does not count.')
  .meta({ example: ['free money order'] });
const Fuzzy = z.boolean().describe('In speech also find words that are spelt a little differently.');
const Phonetic = z.boolean().describe('In speech also find words that sound the same in English.');
const AppliesTo = KeywordRule.shape.appliesTo.describe('Where it is looked for.').meta({ id: 'KeywordPlace' });
const Language = storableText(20)
  .regex(/^[A-Za-z0-9-]+$/, 'A code of a language such as `en`.')
  .nullable()
  .describe('Only in speech of this language; null for any.')
  .meta({ example: 'en' });
const CooldownMs = z
  .number()
  .int()
  .min(0)
  .max(86_400_000)
  .describe('After a hit was told, no further one of this rule on the same stream for so long, in ms.')
  .meta({ example: 30_000 });

export const KeywordView = z
  .object({
    id: z.uuid(),
    label: z.string(),
    pattern: z.string(),
    kind: Kind,
    allow: z.array(z.string()),
    fuzzy: z.boolean(),
    phonetic: z.boolean(),
    appliesTo: AppliesTo,
    language: z.string().nullable(),
    severity: Severity,
    cooldownMs: z.number().int(),
    enabled: z.boolean(),
    version: z.number().int().describe('Grows with every change.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Keyword' });
export type KeywordView = z.infer<typeof KeywordView>;

export const KeywordPage = pageOf(KeywordView, 'KeywordPage');

export const KeywordQuery = PageQuery.extend({
  appliesTo: AppliesTo.optional(),
  severity: Severity.optional(),
  enabled: QueryFlag.optional(),
  q: storableText(200).optional().describe('Part of the label or the pattern.'),
});
export type KeywordQuery = z.infer<typeof KeywordQuery>;

export const CreateKeywordRequest = z
  .strictObject({
    label: Label.optional(),
    pattern: Pattern,
    kind: Kind.default('literal'),
    allow: Allow.default([]),
    fuzzy: Fuzzy.default(false),
    phonetic: Phonetic.default(false),
    appliesTo: AppliesTo.default('both'),
    language: Language.default(null),
    severity: Severity.default('medium'),
    cooldownMs: CooldownMs.default(30_000),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'CreateKeywordRequest' });
export type CreateKeywordRequest = z.infer<typeof CreateKeywordRequest>;

export const UpdateKeywordRequest = z
  .strictObject({
    label: Label.optional(),
    pattern: Pattern.optional(),
    kind: Kind.optional(),
    allow: Allow.optional(),
    fuzzy: Fuzzy.optional(),
    phonetic: Phonetic.optional(),
    appliesTo: AppliesTo.optional(),
    language: Language.optional(),
    severity: Severity.optional(),
    cooldownMs: CooldownMs.optional(),
    enabled: z.boolean().optional(),
  })
  .meta({ id: 'UpdateKeywordRequest' });
export type UpdateKeywordRequest = z.infer<typeof UpdateKeywordRequest>;

export const ImportKeywordsRequest = z
  .strictObject({
    rules: z
      .array(z.unknown())
      .min(1)
      .max(MOST_IMPORTED)
      .describe('Each as `CreateKeywordRequest`; one that does not fit is refused by itself.')
      .meta({ example: [{ pattern: 'free money' }] }),
  })
  .meta({ id: 'ImportKeywordsRequest' });
export type ImportKeywordsRequest = z.infer<typeof ImportKeywordsRequest>;

const ImportedKeyword = z
  .object({
    index: z.number().int().describe('Place in the request, from 0.'),
    result: z.enum(['created', 'duplicate', 'refused']),
    id: z.uuid().nullable().describe('The rule that was made, or the one that was there.'),
    why: z.string().nullable().describe('Why it was refused, and what to do.'),
  })
  .meta({ id: 'ImportedKeyword' });
export type ImportedKeyword = z.infer<typeof ImportedKeyword>;

export const ImportKeywordsResult = z
  .object({
    created: z.number().int(),
    duplicates: z.number().int(),
    refused: z.number().int(),
    rows: z.array(ImportedKeyword),
  })
  .meta({ id: 'ImportKeywordsResult' });
export type ImportKeywordsResult = z.infer<typeof ImportKeywordsResult>;

/** The columns that a request decides. */
export function fieldsOf({ label, ...request }: CreateKeywordRequest): KeywordFields {
  const pattern = request.kind === 'literal' ? request.pattern.trim() : request.pattern;
  // Cut between characters.
  return { ...request, pattern, label: label ?? pattern.slice(0, 200).replace(/\p{Cs}$/u, '') };
}

export function viewOf(row: KeywordRuleEntity): KeywordView {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}
