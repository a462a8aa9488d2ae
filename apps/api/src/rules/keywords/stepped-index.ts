import type { AppError } from '#libs/errors/app-error.js';
import { compile, compileInSlices } from '#libs/phrases/compile.js';
import type { PhraseIndex } from '#libs/phrases/phrase-index.js';
import { type PhraseHit, PHRASE_LIMITS, type PhraseRule } from '#libs/phrases/phrase-rule.js';

/** Matching keeps the thread for so long at most before others have their turn, ms; one expression is not parted. */
const SLICE_MS = 5;

/**
 * Rules for a process that has other things to do: all literals are matched in one go, which takes microseconds, but
 * each regular expression by itself, for a large one takes long on a long text and many of them longer.
 */
export class SteppedIndex {
  private constructor(
    private readonly literals: PhraseIndex,
    private readonly expressions: readonly PhraseIndex[],
  ) {}

  /** @param onRefused told of each rule that cannot be used; it is left out */
  static async build(
    rules: readonly PhraseRule[],
    onRefused: (rule: PhraseRule, error: AppError) => void,
  ): Promise<SteppedIndex> {
    const literals = rules.filter(({ kind }) => kind === 'literal');
    const index = await compileInSlices(literals, { onRefused });
    const expressions: PhraseIndex[] = [];
    for (const rule of rules) {
      if (rule.kind === 'literal') continue;
      expressions.push(compile([rule], { onRefused }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return new SteppedIndex(index, expressions);
  }

  /** @returns hits by place, 256 at most */
  async match(text: string, options: { readonly speech: boolean }): Promise<PhraseHit[]> {
    const hits = [...this.literals.match(text, options)];
    let until = performance.now() + SLICE_MS;
    for (const expression of this.expressions) {
      if (performance.now() >= until) {
        await new Promise((resolve) => setImmediate(resolve));
        until = performance.now() + SLICE_MS;
      }
      hits.push(...expression.match(text, options));
    }
    return hits.sort((a, b) => a.start - b.start || a.end - b.end).slice(0, PHRASE_LIMITS.hits);
  }
}
