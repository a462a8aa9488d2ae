import { type PhraseHit, PHRASE_LIMITS, type PhraseRule, type PhraseView } from './phrase-rule.js';

interface Entry {
  readonly owner: number;
  readonly hit: PhraseHit;
}

/** A piece of a longer text: offsets of its ends where they are no true ends, else out of reach. */
export interface Cut {
  readonly start: number;
  readonly end: number;
}

/** A text that is whole. */
export const UNCUT: Cut = { start: -1, end: -1 };

/** Gathers the hits of one text: of those of one rule that overlap the most confident; allowed phrases take theirs away. */
export class HitList {
  private readonly entries: Entry[] = [];
  private readonly allowances: { readonly phrase: number; readonly start: number; readonly end: number }[] = [];
  dropped = 0;

  /** @param cut where the text goes on beyond what is matched; literals that touch a cut may be halved and are left out */
  constructor(private readonly cut: Cut = UNCUT) {}

  /** Whether it takes no more. */
  get isFull(): boolean {
    return this.entries.length >= PHRASE_LIMITS.hits;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Notes that an allowed phrase stands at `[start, end)`. */
  allow(phrase: number, start: number, end: number): void {
    if (this.allowances.length < PHRASE_LIMITS.hits) this.allowances.push({ phrase, start, end });
    else this.dropped++;
  }

  /** Notes a hit of the rule at index `owner`, unless one of that rule that is as good overlaps it. */
  addOf(
    rules: readonly PhraseRule[],
    owner: number,
    start: number,
    end: number,
    view: PhraseView,
    confidence: number,
  ): void {
    const rule = rules[owner];
    if (rule === undefined || end <= start) return;
    if (rule.kind === 'literal' && (start === this.cut.start || end === this.cut.end)) return;
    const rounded = Math.round(confidence * 1_000) / 1_000;
    this.put(owner, { rule: rule.id, version: rule.version, start, end, view, confidence: rounded });
  }

  /** Notes a finished hit. */
  add(hit: PhraseHit): void {
    this.put(-1, hit);
  }

  private put(owner: number, hit: PhraseHit): void {
    for (const [index, entry] of this.entries.entries()) {
      const { hit: other } = entry;
      if (other.rule !== hit.rule || other.version !== hit.version) continue;
      if (other.start >= hit.end || hit.start >= other.end) continue;
      if (hit.confidence > other.confidence) this.entries[index] = { owner, hit };
      return;
    }
    if (!this.isFull) this.entries.push({ owner, hit });
    else this.dropped++;
  }

  /**
   * The hits that stand, by place.
   *
   * @param allowed for each rule the phrases it allows
   */
  sorted(allowed: readonly (ReadonlySet<number> | null)[] = []): PhraseHit[] {
    return this.entries
      .filter(({ owner, hit }) => !this.isAllowed(allowed[owner] ?? null, hit))
      .map(({ hit }) => hit)
      .sort((one, other) => one.start - other.start || one.end - other.end || (one.rule < other.rule ? -1 : 1));
  }

  private isAllowed(phrases: ReadonlySet<number> | null, hit: PhraseHit): boolean {
    if (phrases === null) return false;
    return this.allowances.some(
      ({ phrase, start, end }) => start <= hit.start && end >= hit.end && phrases.has(phrase),
    );
  }
}
