import { languageCode } from '#libs/phrases/language.js';

/** Utterances that vote. */
const MOST_VOTES = 20;
/** Speech that must have been heard before it is decided, ms. */
const QUORUM_MS = 10_000;
/** Share of the speech that decides for a language, and below which it is given up again. */
const [MAJORITY, CONTRADICTED] = [0.7, 0.3];

/**
 * Finds out which language a stream speaks, from what the engine says of its last utterances, each as strong as it is
 * long. Needs a clear majority, and as clear a contradiction to change its mind. Pure; one stream.
 */
export class LanguageVote {
  private readonly votes: { language: string; ms: number }[] = [];
  private chosen: string | null = null;

  /** The language that the stream speaks; null while it is not clear. */
  get language(): string | null {
    return this.chosen;
  }

  /** Takes in one utterance. @param language as the engine named it; null when it did not say */
  add(language: string | null, ms: number): void {
    const code = languageCode(language);
    if (code === null) return;
    this.votes.push({ language: code, ms });
    if (this.votes.length > MOST_VOTES) this.votes.shift();
    const totals = new Map<string, number>();
    let all = 0;
    for (const vote of this.votes) {
      totals.set(vote.language, (totals.get(vote.language) ?? 0) + vote.ms);
      all += vote.ms;
    }
    if (this.chosen !== null && (totals.get(this.chosen) ?? 0) < all * CONTRADICTED) this.chosen = null;
    if (this.chosen !== null || all < QUORUM_MS) return;
    for (const [name, total] of totals) if (total >= all * MAJORITY) this.chosen = name;
  }
}
