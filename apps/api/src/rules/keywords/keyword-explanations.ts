import { AppError } from '#libs/errors/app-error.js';
import { compile } from '#libs/phrases/compile.js';
import type { PhraseHit, PhraseRule } from '#libs/phrases/phrase-rule.js';
import type { KeywordFields } from './keyword-rule.entity.js';
import { isFor, isOf, phraseRuleOf } from './phrase-rules.js';

const READ_AS: Readonly<Record<Exclude<PhraseHit['view'], 'plain'>, string>> = {
  skeleton: 'read with look-alike letters as their Latin ones',
  leet: 'read as leet',
  joined: 'read with spaced-out letters as a word',
  squeeze: 'read with repeated letters once',
  fuzzy: 'spelt a little differently',
  phonetic: 'sounds the same in English',
};

/** The text in which a rule is tried. */
export interface Tried {
  readonly text: string;
  readonly speech: boolean;
  readonly language: string | undefined;
}

/** Why a hit is one, e.g. `read as leet: fr33 → free`. */
export function whyHit(rule: Pick<KeywordFields, 'pattern' | 'kind'>, hit: PhraseHit, matched: string): string {
  if (rule.kind === 'regex') return `the expression matches: ${matched}`;
  const sought = rule.pattern
    .replace(/^\*+|(?<!\\)\*+$/g, '')
    .replaceAll('\\*', '*')
    .trim();
  if (hit.view !== 'plain') return `${READ_AS[hit.view]}: ${matched} → ${sought}`;
  if (matched === sought) return `as written: ${matched}`;
  return `read without case, width, accents and invisible characters: ${matched} → ${sought}`;
}

/** Why a rule is not looked for in the text at all; null when it is. */
export function whyNotTried(rule: KeywordFields, { speech, language }: Tried): string | null {
  if (!rule.enabled) return 'It is turned off.';
  if (!isFor(rule, speech)) {
    return speech ? 'It applies to chat only, and this was said.' : 'It applies to speech only, and this was written.';
  }
  if (!isOf(rule, speech, language)) {
    return `It is for speech in ${rule.language ?? ''} only, and this is in ${language ?? ''}.`;
  }
  return null;
}

/** Why a rule that is looked for is not found, as far as it can be told. */
export function whyMissed(rule: KeywordFields, { text, speech }: Tried): string {
  const would = (change: Partial<PhraseRule>, said = speech): PhraseHit | undefined =>
    firstHit({ ...phraseRuleOf('', rule), ...change }, text, said);
  const found = ({ start, end }: PhraseHit): string => `"${text.slice(start, end)}"`;
  const allowed = rule.allow.length > 0 ? would({ allow: [] }) : undefined;
  if (allowed !== undefined) {
    // One by one; expressions take too long for that.
    const by =
      rule.kind === 'regex' ? undefined : rule.allow.find((phrase) => would({ allow: [phrase] }) === undefined);
    return by === undefined
      ? `${found(allowed)} stands inside an allowed phrase.`
      : `${found(allowed)} stands inside the allowed phrase "${by}".`;
  }
  if (rule.kind === 'regex') return 'The expression matches nothing in this text.';
  const elsewhere = would({ allow: [] }, !speech);
  if (elsewhere !== undefined) {
    return speech
      ? `${found(elsewhere)} is an evasive spelling; such are looked for in chat, not in speech.`
      : `${found(elsewhere)} is like it; likeness is looked for in speech, not in chat.`;
  }
  const inside = would({ allow: [], pattern: `*${rule.pattern.replace(/^\*+|(?<!\\)\*+$/g, '')}*` });
  if (inside !== undefined)
    return `${found(inside)} stands inside a longer word; put a star where the word may go on, as in *${rule.pattern}*.`;
  return speech ? 'It is not in this text.' : 'It is not in this text, however it is read.';
}

function firstHit(rule: PhraseRule, text: string, speech: boolean): PhraseHit | undefined {
  try {
    return compile([rule]).match(text, { speech })[0];
  } catch (error) {
    // What is tried here is made of an accepted rule, but may break a limit by a character.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
