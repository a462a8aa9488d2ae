import { type PhraseHit, PHRASE_LIMITS, type PhraseRule, type PhraseView } from './phrase-rule.js';

interface Entry {
  readonly owner: number;
  readonly hit: PhraseHit;
}

/** Gathers the hits of one text: one per rule and span, the most confident; allowed phrases take theirs away. */
export class HitList {
  private readonly entries: Entry[] = [];
  private readonly allowances: { readonly phrase: number; readonly start: number; readonly end: number }[] = [];
  dropped = 0;

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Notes that an allowed phrase stands at `[start, end)`. */
  allow(phrase: number, start: number, end: number): void {
    if (this.allowances.length < PHRASE_LIMITS.hits) this.allowances.push({ phrase, start, end });
    else this.dropped++;
  }

  /** Notes a hit of the rule at index `owner`, unless a better one of that rule stands there. */
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
      const same = other.start === hit.start && other.end === hit.end;
      if (same) {
        if (hit.confidence > other.confidence) this.entries[index] = { owner, hit };
        return;
      }
      const overlaps = other.start < hit.end && hit.start < other.end;
      if (overlaps && hit.view !== 'plain' && other.confidence >= hit.confidence) return;
    }
    if (this.entries.length < PHRASE_LIMITS.hits) this.entries.push({ owner, hit });
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
