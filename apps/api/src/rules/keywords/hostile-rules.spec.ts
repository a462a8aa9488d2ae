import fc from 'fast-check';
import { AppError } from '#libs/errors/app-error.js';
import { checkPhraseRule, compile } from '#libs/phrases/compile.js';
import type { PhraseIndex } from '#libs/phrases/phrase-index.js';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { CreateKeywordRequest, fieldsOf } from './keywords.dto.js';
import { phraseRuleOf } from './phrase-rules.js';

/** UTF-16 units of the text in which a rule is looked for. */
const LENGTH = 100_000;
/** Rules tried; each is matched against 300 kB several times. */
const RUNS = 30;
/** So many instructions of an expression are enough to tell linear from quadratic, and keep the run short. */
const COUNT = 20;

/** The compiled rule if the door takes it, null if it refuses it with a sentence; anything else is a fault. */
function admitted(request: unknown): PhraseIndex | null {
  const parsed = CreateKeywordRequest.safeParse(request);
  if (!parsed.success) return null;
  const rule = phraseRuleOf('r', fieldsOf(parsed.data));
  try {
    checkPhraseRule(rule);
  } catch (error) {
    if (error instanceof AppError && error.kind === 'user' && error.message.length > 20) return null;
    throw error;
  }
  // What the door takes, every monitor can compile.
  return compile([rule]);
}

/** Rounds of which the fastest counts: what others do on the machine only ever adds, even to processor time. */
const ROUNDS = 5;
/** A round matches until so much processor time has passed, ms, so that the clock can tell. */
const LEAST_ROUND_MS = 5;

/** Processor time of this process, ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Time for one text, ms: the fastest of the rounds. */
function fastest(index: { match(text: string): unknown }, text: string): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = cpuMs();
    let matched = 0;
    do {
      index.match(text);
      matched++;
    } while (cpuMs() - startedAt < LEAST_ROUND_MS);
    best = Math.min(best, (cpuMs() - startedAt) / matched);
  }
  return best;
}

/** Time for twice the text over that for the text. */
function growth(index: { match(text: string): unknown }, text: string): number {
  return fastest(index, text + text) / fastest(index, text);
}

/** Expressions as an ill-willed admin would write them: repeats in repeats, choices that overlap, borders. */
const { regex } = fc.letrec<{ regex: string }>((tie) => ({
  regex: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('a', 'b', '.', '\\w', '\\b', '[^b]', '\\pL', '^', '$', 'aa', '(?=a)', '\\1', '(?<=a)'),
    fc
      .tuple(tie('regex'), fc.constantFrom('*', '+', '?', '*?', '{0,3}', `{${String(COUNT)}}`))
      .map(([inner, repeat]) => `(${inner})${repeat}`),
    fc.tuple(tie('regex'), tie('regex')).map(([one, other]) => `(${one}|${other})`),
    fc.tuple(tie('regex'), tie('regex')).map(([one, other]) => one + other),
  ),
}));

const literal = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', '*', '\\', 'é', '4', '@', 'а', '\u0301'), maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

/** What texts that nearly match over and over are made of. */
const piece = fc.constantFrom('a', 'ab', 'a ', 'aab', 'a4@', 'аa', 'e\u0301', ' ');

/** Whole pieces alone, so that twice the text holds nothing that the text does not. */
const textOf = (part: string, length: number): string => part.repeat(Math.floor(length / part.length));

describe('whatever rule an admin types', () => {
  it.each([
    ['expression', regex.map((pattern) => ({ pattern, kind: 'regex' }))],
    ['literal', fc.record({ pattern: literal, allow: fc.array(literal, { maxLength: 3 }) })],
    ['rule of likeness', fc.record({ pattern: literal, fuzzy: fc.boolean(), phonetic: fc.boolean() })],
  ])(
    'each %s is refused with a sentence or is linear in 100 kB of text',
    (_, rules) => {
      let linear = 0;
      fc.assert(
        fc.property(rules, piece, (rule, part) => {
          const index = admitted(rule);
          if (index === null) return;
          linear++;
          // Also within one window of the engine, where nothing bounds it but the way it matches.
          for (const tried of [textOf(part, LENGTH), textOf(part, PHRASE_LIMITS.window / 2)]) {
            // Linear is 2 and quadratic 4; a second look tells a busy machine from a slow rule.
            if (growth(index, tried) > 3 && growth(index, tried) > 3 && growth(index, tried) > 3) {
              throw new Error(`twice the text takes more than three times as long: ${JSON.stringify(rule)}`);
            }
          }
        }),
        { numRuns: RUNS, seed: 1_763_900, endOnFailure: true },
      );
      expect(linear).toBeGreaterThan(RUNS / 5);
    },
    120_000,
  );

  it('an engine that is not linear would be seen', () => {
    const backtracking = { match: (input: string): boolean => /a*b/.test(input) };
    expect(growth(backtracking, 'a'.repeat(20_000))).toBeGreaterThan(3);
  });

  it('100 kB of it are refused at once, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          regex,
          literal.filter((piece) => piece !== ''),
        ),
        fc.boolean(),
        (piece, isRegex) => {
          const pattern = piece.repeat(Math.ceil(LENGTH / piece.length));
          expect(admitted({ pattern, kind: isRegex ? 'regex' : 'literal' })).toBeNull();
          expect(admitted({ pattern: 'a', allow: [pattern] })).toBeNull();
        },
      ),
      { numRuns: RUNS, seed: 7 },
    );
  });
});
