import { Automaton } from './automaton.js';
import { skeletonsOf, squeeze } from './views.js';
import type { Literal } from './wildcard.js';

/** Stages of matching at which a form of a pattern counts. */
export const PLAIN_STAGE = 1;
/** Look-alikes and leet. */
export const LATIN_STAGE = 2;
export const JOINED_STAGE = 4;
export const SQUEEZE_STAGE = 8;
const ALL_STAGES = PLAIN_STAGE | LATIN_STAGE | JOINED_STAGE | SQUEEZE_STAGE;

/** Whose a pattern is: a rule's (`owner` ≥ 0), or an allowed phrase (`allowed` ≥ 0). */
export interface Target {
  readonly owner: number;
  readonly allowed: number;
  readonly stages: number;
  /** The pattern before it was squeezed. */
  readonly source: string;
  readonly literal: Literal;
  /** Whether the pattern itself holds nothing beyond ASCII. */
  readonly isLatin: boolean;
}

/** Patterns and their owners behind one automaton. */
export class PhraseSet {
  private constructor(
    readonly automaton: Automaton,
    private readonly targets: readonly (readonly Target[])[],
  ) {}

  static *build(byText: ReadonlyMap<string, readonly Target[]>, exact: boolean): Generator<void, PhraseSet> {
    const automaton = yield* Automaton.build(byText.keys(), exact);
    const targets: (readonly Target[])[] = [];
    for (const pattern of automaton.patterns) {
      targets.push(byText.get(pattern) ?? []);
      if (targets.length % 512 === 0) yield;
    }
    return new PhraseSet(automaton, targets);
  }

  /** Who owns the pattern of this index. */
  targetsOf(pattern: number): readonly Target[] {
    return this.targets[pattern] ?? [];
  }
}

/** Sorts the forms of literals into the sets that look for them. */
export class FormTable {
  /** Patterns as they are; the only ones that most messages meet. */
  readonly main = new Map<string, Target[]>();
  /** What is only looked for in the evasive views. */
  readonly evasive = new Map<string, Target[]>();
  /** Patterns whose signs count. */
  readonly exact = new Map<string, Target[]>();

  add(literal: Literal, owner: number, allowed: number): void {
    const { text } = literal;
    const isLatin = !/[^\0-\x7f]/.test(text);
    const add = (table: Map<string, Target[]>, form: string, source: string, stages: number): void => {
      const target = { owner, allowed, stages, source, literal, isLatin };
      const known = table.get(form);
      if (known === undefined) table.set(form, [target]);
      else known.push(target);
    };
    if (literal.exact) {
      add(this.exact, text, text, PLAIN_STAGE);
      return;
    }
    const spread = (form: string, stages: number): void => {
      const short = squeeze(form);
      if (short === form && form === text) add(this.main, form, form, stages);
      else if (short === form) add(this.evasive, form, form, stages);
      else {
        add(form === text ? this.main : this.evasive, form, form, stages & ~SQUEEZE_STAGE);
        add(this.evasive, short, form, SQUEEZE_STAGE);
      }
    };
    spread(text, ALL_STAGES);
    if (allowed >= 0) return;
    for (const latin of skeletonsOf(text)) {
      if (latin !== text) spread(latin, ALL_STAGES & ~PLAIN_STAGE);
      const inner = latin.trim();
      if (inner.includes(' ')) spread(latin.replace(inner, inner.replaceAll(' ', '')), JOINED_STAGE | SQUEEZE_STAGE);
    }
  }
}
