import { AppError, messageOf } from '#libs/errors/app-error.js';
import { RE2JS, RE2Set } from 're2js';
import { PHRASE_LIMITS } from './phrase-rule.js';

/** Searches in one text beyond the first of each expression; each may read the text to its end. */
const FURTHER_SEARCHES = 32;

/** An expression to match, and whose it is. */
export interface RegexSource {
  readonly owner: number;
  readonly pattern: string;
}

/** A match of an expression. */
export interface RegexMatch {
  readonly owner: number;
  readonly start: number;
  readonly end: number;
}

interface Group {
  readonly set: RE2Set;
  readonly members: { readonly owner: number; readonly expression: RE2JS }[];
}

/** Matches many regular expressions in time linear in the text (RE2): a set says which match, each then says where. */
export class RegexGroup {
  private constructor(private readonly groups: readonly Group[]) {}

  /** Builds in steps: one expression each. The sources were accepted by {@link compileRegex} and {@link checkTotal}. */
  static *build(sources: readonly RegexSource[]): Generator<void, RegexGroup> {
    // Word borders take the set off its fast engine, so expressions that hold them have a set of their own.
    const plain: Group = { set: newSet(), members: [] };
    const bordered: Group = { set: newSet(), members: [] };
    for (const { owner, pattern } of sources) {
      const group = /\\[bB]/.test(pattern) ? bordered : plain;
      group.members.push({ owner, expression: compileRegex(pattern) });
      group.set.add(pattern);
      yield;
    }
    const groups = [plain, bordered].filter(({ members }) => members.length > 0);
    for (const { set } of groups) {
      set.compile();
      yield;
    }
    return new RegexGroup(groups);
  }

  /** Of each expression that matches the first match, and up to 32 further ones in all; none of them empty. */
  match(text: string): RegexMatch[] {
    const found: RegexMatch[] = [];
    let further = FURTHER_SEARCHES;
    for (const { set, members } of this.groups) {
      for (const index of set.match(text)) {
        const member = members[index];
        if (member === undefined) continue;
        const matcher = member.expression.matcher(text);
        while (matcher.find()) {
          const [start, end] = [matcher.start(), matcher.end()];
          if (end > start) found.push({ owner: member.owner, start, end });
          if (further-- <= 0) break;
        }
      }
    }
    return found;
  }
}

const newSet = (): RE2Set => new RE2Set(RE2Set.UNANCHORED, RE2JS.CASE_INSENSITIVE);

/**
 * Compiles one expression without regard to case.
 *
 * @throws AppError kind user with the engine's reason, when it is too long or large, or when it matches empty text
 */
export function compileRegex(pattern: string): RE2JS {
  const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
  const refuse = (why: string, cause?: unknown): AppError =>
    new AppError('phrase.refused', 'user', `The regular expression "${shown}" ${why}`, { pattern: shown }, { cause });
  if (pattern.length > PHRASE_LIMITS.regexLength)
    throw refuse(`is longer than ${PHRASE_LIMITS.regexLength} characters; shorten it.`);
  let compiled;
  try {
    compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    throw refuse(
      `cannot be used: ${messageOf(error)} (the syntax is RE2's: no look-around, no back-references).`,
      error,
    );
  }
  if (compiled.programSize() > PHRASE_LIMITS.regexProgram)
    throw refuse('is too large once its counts are written out; use smaller counts.');
  if (compiled.matches(''))
    throw refuse('also matches empty text, so it would hit everywhere; make a part of it needed.');
  return compiled;
}
