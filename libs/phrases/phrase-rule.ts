import { z } from 'zod';

/** What one index takes at most. A rule beyond them is refused with a sentence; nothing is dropped in silence. */
export const PHRASE_LIMITS = {
  /** Rules in one index. */
  rules: 100_000,
  /** UTF-16 units of a literal pattern or an allowed phrase. */
  literalLength: 200,
  /** Allowed phrases of one rule. */
  allowPerRule: 100,
  /** UTF-16 units of a regular expression. */
  regexLength: 260,
  /** Regular expressions in one index. */
  regexes: 200,
  /** Instructions of one compiled regular expression, and of all together. */
  regexProgram: 500,
  regexProgramTotal: 4_000,
  /** Rules with `fuzzy`, and rules with `phonetic`, in one index. */
  fuzzyRules: 2_000,
  /** UTF-16 units matched at a time; longer text is matched in windows that overlap by `windowOverlap`. */
  window: 4_096,
  windowOverlap: 512,
  /** UTF-16 units of one text; what lies beyond is not read and the text is counted as cut. */
  text: 1_048_576,
  /** Hits of one window. */
  hits: 256,
} as const;

/** How a rule's pattern is read. */
const PhraseKind = z.enum(['literal', 'regex']);

/**
 * One rule. A literal is matched in words: `cat` the word, `cat*` its beginning, `*cat` its end, `*cat*` anywhere;
 * words of a phrase may be parted by any white space and punctuation; `\*` is a star. A regex is RE2 syntax, without
 * regard to case unless it begins with `(?-i)`.
 */
export const PhraseRule = z
  .object({
    id: z.string().min(1).max(200),
    version: z.number().int().nonnegative().default(1).describe('Reported with each hit'),
    pattern: z.string().min(1).max(1_000),
    kind: PhraseKind.default('literal'),
    allow: z
      .array(z.string().min(1).max(PHRASE_LIMITS.literalLength))
      .max(PHRASE_LIMITS.allowPerRule)
      .default([])
      .describe('Literals: a hit that lies wholly inside one of them is dropped'),
    fuzzy: z.boolean().default(false).describe('In speech also find words that are spelt a little differently'),
    phonetic: z.boolean().default(false).describe('In speech also find words that sound the same in English'),
  })
  .meta({ id: 'PhraseRule' });
export type PhraseRule = z.infer<typeof PhraseRule>;

/**
 * How a text was read when a rule hit. `plain`: folded for case, width, accents and invisible characters;
 * `skeleton`: look-alike letters as their Latin ones; `leet`: digits and signs as letters; `joined`: spaced-out single
 * letters as a word; `squeeze`: repeated letters once; `fuzzy` and `phonetic`: words of speech.
 */
export const PhraseView = z
  .enum(['plain', 'skeleton', 'leet', 'joined', 'squeeze', 'fuzzy', 'phonetic'])
  .meta({ id: 'PhraseView' });
export type PhraseView = z.infer<typeof PhraseView>;

/** One find. `start` and `end` are UTF-16 offsets in the text that was given; `confidence` lies in (0, 1]. */
export interface PhraseHit {
  readonly rule: string;
  readonly version: number;
  readonly start: number;
  readonly end: number;
  readonly view: PhraseView;
  readonly confidence: number;
}
