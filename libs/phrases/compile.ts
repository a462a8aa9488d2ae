import { AppError } from '#libs/errors/app-error.js';
import { type IndexParts, PhraseIndex } from './phrase-index.js';
import { PHRASE_LIMITS, type PhraseRule } from './phrase-rule.js';
import { FormTable, PhraseSet } from './phrase-set.js';
import { compileRegex, RegexGroup, type RegexSource } from './regex-group.js';
import { SoundAlikes } from './sound-alike.js';
import { parseLiteral } from './wildcard.js';

/** What to do with a rule that cannot be compiled. */
export interface CompileOptions {
  /** Told of each refused rule, which is then left out; without it the first refusal is thrown. */
  readonly onRefused?: (rule: PhraseRule, error: AppError) => void;
}

/** Longest time that building in the background keeps the thread at a stretch, ms. */
const SLICE_MS = 4;

/**
 * Compiles rules in one go; 10,000 take some tenths of a second. Where others wait, use {@link compileInSlices}.
 *
 * @throws AppError kind user for a rule that cannot be used, with its id and the reason
 */
export function compile(rules: readonly PhraseRule[], options: CompileOptions = {}): PhraseIndex {
  const steps = build(rules, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Compiles rules a few milliseconds at a time and lets the event loop run in between, so that the index in use goes
 * on matching until the new one takes its place.
 *
 * @param options.signal gives up
 * @throws AppError like {@link compile}; the signal's reason
 */
export async function compileInSlices(
  rules: readonly PhraseRule[],
  options: CompileOptions & { readonly signal?: AbortSignal; readonly now?: () => number } = {},
): Promise<PhraseIndex> {
  const now = options.now ?? ((): number => performance.now());
  const steps = build(rules, options);
  for (;;) {
    options.signal?.throwIfAborted();
    const until = now() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (now() < until);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Says whether a rule can be used.
 *
 * @throws AppError kind user with the reason
 */
export function checkPhraseRule(rule: PhraseRule): void {
  if (rule.kind === 'regex') compileRegex(rule.pattern);
  else parseLiteral(rule.pattern);
  for (const phrase of rule.allow) parseLiteral(phrase);
}

function* build(rules: readonly PhraseRule[], options: CompileOptions): Generator<void, PhraseIndex> {
  if (rules.length > PHRASE_LIMITS.rules)
    throw new AppError('phrase.too_many', 'user', `There are more than ${PHRASE_LIMITS.rules} rules; remove some.`);
  const forms = new FormTable();
  const regexes: RegexSource[] = [];
  const soundAlikes = new SoundAlikes();
  const phrases = new Map<string, number>();
  const allowed: (ReadonlySet<number> | null)[] = [];
  const totals = { regexes: 0, program: 0, alike: 0 };
  for (const [owner, rule] of rules.entries()) {
    allowed.push(null);
    try {
      const allowances = rule.allow.map((phrase) => ({ phrase, literal: parseLiteral(phrase) }));
      if (rule.kind === 'regex') regexes.push(takeRegex(rule, owner, totals));
      else {
        const literal = parseLiteral(rule.pattern);
        if (rule.fuzzy || rule.phonetic) {
          if (++totals.alike > PHRASE_LIMITS.fuzzyRules)
            throw refusal(`only ${PHRASE_LIMITS.fuzzyRules} rules may be matched by likeness; turn it off for some.`);
          if (!literal.exact) soundAlikes.add(owner, literal.text, rule);
        }
        forms.add(literal, owner, -1);
      }
      if (allowances.length > 0)
        allowed[owner] = new Set(
          allowances.map(({ phrase, literal }) => {
            const known = phrases.get(phrase);
            if (known !== undefined) return known;
            phrases.set(phrase, phrases.size);
            forms.add(literal, -1, phrases.size - 1);
            return phrases.size - 1;
          }),
        );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const named = new AppError(error.code, error.kind, `Rule ${rule.id}: ${error.message}`, error.details, {
        cause: error,
      });
      if (options.onRefused === undefined) throw named;
      options.onRefused(rule, named);
    }
    if (owner % 64 === 63) yield;
  }
  const parts: IndexParts = {
    rules,
    allowed,
    main: yield* PhraseSet.build(forms.main, false),
    evasive: forms.evasive.size === 0 ? null : yield* PhraseSet.build(forms.evasive, false),
    exact: forms.exact.size === 0 ? null : yield* PhraseSet.build(forms.exact, true),
    regexes: regexes.length === 0 ? null : yield* RegexGroup.build(regexes),
    soundAlikes,
  };
  return new PhraseIndex(parts);
}

function takeRegex(rule: PhraseRule, owner: number, totals: { regexes: number; program: number }): RegexSource {
  const size = compileRegex(rule.pattern).programSize();
  if (totals.regexes + 1 > PHRASE_LIMITS.regexes)
    throw refusal(`only ${PHRASE_LIMITS.regexes} regular expressions fit into one set of rules; remove some.`);
  if (totals.program + size > PHRASE_LIMITS.regexProgramTotal)
    throw refusal('the regular expressions are too large together; simplify or remove some.');
  totals.regexes++;
  totals.program += size;
  return { owner, pattern: rule.pattern };
}

const refusal = (why: string): AppError => new AppError('phrase.refused', 'user', why);
