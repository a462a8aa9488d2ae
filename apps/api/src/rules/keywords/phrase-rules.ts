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

/** Whether a keyword is for words of this language; an unknown one is taken as any. */
export function isOf({ language }: Pick<Place, 'language'>, speech: boolean, spoken: string | undefined): boolean {
  if (!speech || language === null || spoken === undefined) return true;
  return language.toLowerCase() === spoken.toLowerCase();
}
