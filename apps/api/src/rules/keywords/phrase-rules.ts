import { sameLanguage } from '#libs/phrases/language.js';
import type { PhraseRule } from '#libs/phrases/phrase-rule.js';
import type { KeywordFields } from './keyword-rule.entity.js';

/** A keyword as the phrase engine takes it. */
export function phraseRuleOf(
  id: string,
  { pattern, kind, allow, fuzzy, phonetic }: Pick<KeywordFields, 'pattern' | 'kind' | 'allow' | 'fuzzy' | 'phonetic'>,
): PhraseRule {
  return { id, version: 1, pattern, kind, allow: [...allow], fuzzy, phonetic };
}

/** What decides whether a keyword is looked for in a text. */
type Place = Pick<KeywordFields, 'appliesTo' | 'language'>;

/** Whether a keyword is for chat, or for speech. */
export function isFor({ appliesTo }: Pick<Place, 'appliesTo'>, speech: boolean): boolean {
  return appliesTo === 'both' || appliesTo === (speech ? 'speech' : 'chat');
}

/**
 * Whether a keyword is looked for in words of a language, as a session decides it: one for a single language is for
 * speech in that language, whatever the country, and for speech whose language is not known. In chat it always is.
 */
export function isOf({ language }: Pick<Place, 'language'>, speech: boolean, spoken: string | undefined): boolean {
  if (!speech || language === null || spoken === undefined) return true;
  return sameLanguage(language, spoken);
}
