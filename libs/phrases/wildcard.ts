import { AppError } from '#libs/errors/app-error.js';
import { GAP, isUnspaced, kindOf, unitKinds } from './characters.js';
import { fold, partWords } from './folding.js';
import { PHRASE_LIMITS } from './phrase-rule.js';

/** A literal pattern in the form the automaton takes. */
export interface Literal {
  /**
   * Folded words with one space between two of them. In a pattern of words, a space at either end says that a word
   * must begin or end there.
   */
  readonly text: string;
  /** Signs count: only white space is flexible, and the ends are checked against `startsWord` and `endsWord`. */
  readonly exact: boolean;
  readonly startsWord: boolean;
  readonly endsWord: boolean;
}

/** Between words these are mere spelling (`e-mail`, `don't`); other signs are part of what is looked for (`c++`). */
const spellingPattern = /^[\s\p{Pd}'’.,&/:]+$/u;

/**
 * Reads a literal: stars at the ends open them, `\*` is a star, everything else stands for itself.
 *
 * @throws AppError kind user when nothing or too much is left, or a star stands inside
 */
export function parseLiteral(pattern: string): Literal {
  if (pattern.length > PHRASE_LIMITS.literalLength)
    throw refusal(pattern, `is longer than ${PHRASE_LIMITS.literalLength} characters; shorten it.`);
  let inner = pattern.trim();
  const openStart = inner.startsWith('*');
  if (openStart) inner = inner.replace(/^\*+/, '');
  const openEnd = /(^|[^\\])\*$/.test(inner);
  if (openEnd) inner = inner.replace(/\*+$/, '');
  if (/(^|[^\\])\*/.test(inner))
    throw refusal(pattern, 'has a star inside; a star may stand only at its beginning or end (write \\* for a star).');
  const folded = partWords(fold(inner.replaceAll('\\*', '*').trim())).text;
  const plain = fold(inner.replaceAll('\\*', '*').trim()).text.replace(/\s+/gu, ' ');
  if (plain === '') throw refusal(pattern, 'has nothing to look for; give it at least one letter or sign.');
  const words = /\p{S}/u.test(plain) ? null : inWords(folded);
  const first = plain.codePointAt(0) ?? 0;
  const last = Array.from(plain).at(-1)?.codePointAt(0) ?? 0;
  const lone = Array.from(plain).length < 2;
  const startsWord = !openStart && (lone || !isUnspaced(first)) && kindOf(first) !== GAP;
  const endsWord = !openEnd && (lone || !isUnspaced(baseOf(plain) ?? last)) && kindOf(last) !== GAP;
  if (words === null) return { text: plain, exact: true, startsWord, endsWord };
  return { text: `${startsWord ? ' ' : ''}${words}${endsWord ? ' ' : ''}`, exact: false, startsWord, endsWord };
}

/** The last character that is no combining mark. */
function baseOf(text: string): number | undefined {
  return Array.from(text)
    .findLast((character) => !/\p{M}/u.test(character))
    ?.codePointAt(0);
}

/** The words with one space between them, or null when a sign matters. */
function inWords(folded: string): string | null {
  const kinds = unitKinds();
  let words = '';
  let gap = '';
  for (const unit of folded.split('')) {
    if (kinds[unit.charCodeAt(0)] === GAP) {
      gap += unit;
      continue;
    }
    if (gap !== '') {
      if (words === '' || !spellingPattern.test(gap)) return null;
      words += ' ';
      gap = '';
    }
    words += unit;
  }
  return gap === '' && words !== '' ? words : null;
}

function refusal(pattern: string, why: string): AppError {
  const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
  return new AppError('phrase.refused', 'user', `The pattern "${shown}" ${why}`, { pattern: shown });
}
