import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { compileRegex } from '#libs/phrases/regex-group.js';
import type { KeywordFields } from './keyword-rule.entity.js';
import { MOST_KEYWORDS, regexesTooLarge, tooManyAlike, tooManyKeywords, tooManyRegexes } from './keywords.errors.js';

/** What the stored keywords use of the limits of one set. */
export interface KeywordUsage {
  /** All of them, enabled or not. */
  stored: number;
  /** Enabled literals that are matched by likeness. */
  alike: number;
  /** Patterns of the enabled regular expressions. */
  regexes: readonly string[];
}

/** What of a keyword counts against the limits. */
export type Counted = Pick<KeywordFields, 'pattern' | 'kind' | 'fuzzy' | 'phonetic' | 'enabled'>;

/** Whether further keywords fit into the one set of rules that every monitor compiles. */
export class KeywordBudget {
  private stored: number;
  private alike: number;
  private regexes: number;
  /** Instructions of the regular expressions; counted when the first further one comes. */
  private program: number | null = null;

  constructor(private readonly usage: KeywordUsage) {
    this.stored = usage.stored;
    this.alike = usage.alike;
    this.regexes = usage.regexes.length;
  }

  /**
   * Takes room for a keyword whose pattern was accepted by itself.
   * @throws AppError `keyword.limit.conflict` that names the limit; nothing is taken then.
   */
  take({ pattern, kind, fuzzy, phonetic, enabled }: Counted): void {
    if (this.stored >= MOST_KEYWORDS) throw tooManyKeywords();
    if (enabled && kind === 'regex') this.takeRegex(pattern);
    if (enabled && kind === 'literal' && (fuzzy || phonetic)) {
      if (this.alike >= PHRASE_LIMITS.fuzzyRules) throw tooManyAlike();
      this.alike += 1;
    }
    this.stored += 1;
  }

  private takeRegex(pattern: string): void {
    if (this.regexes >= PHRASE_LIMITS.regexes) throw tooManyRegexes();
    this.program ??= this.usage.regexes.reduce((sum, stored) => sum + sizeOf(stored), 0);
    const size = sizeOf(pattern);
    if (this.program + size > PHRASE_LIMITS.regexProgramTotal) throw regexesTooLarge();
    this.program += size;
    this.regexes += 1;
  }
}

const sizeOf = (pattern: string): number => compileRegex(pattern).programSize();
