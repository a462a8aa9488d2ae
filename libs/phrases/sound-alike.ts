import { doubleMetaphone } from 'double-metaphone';
import { distance } from 'fastest-levenshtein';
import type { MappedText } from './mapped-text.js';

/** Words of one rule that are compared with runs of as many spoken words. */
const WORDS_PER_RULE = 6;
/** Share of its similarity that a fuzzy find is worth; and what a phonetic one is. */
const FUZZY_WEIGHT = 0.9;
const PHONETIC_CONFIDENCE = 0.6;
/** Sounds that a phonetic code must have to tell words apart. */
const SHORTEST_CODE = 2;

/** A word of a text: its letters and where they stand in the text, in units. */
interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A find by likeness, in units of the text that was searched. */
export interface SoundAlikeMatch {
  readonly owner: number;
  readonly start: number;
  readonly end: number;
  readonly view: 'fuzzy' | 'phonetic';
  readonly confidence: number;
}

/**
 * Finds words that speech recognition spelt a little differently: by Damerau-Levenshtein distance (at most 1 from five
 * letters, 2 from eight), and by sound (Double Metaphone, English).
 */
export class SoundAlikes {
  private readonly fuzzy = new Map<number, { readonly owner: number; readonly text: string }[]>();
  private readonly phonetic = new Map<string, number[]>();
  private longest = 0;

  /** Adds a literal's words. Texts that likeness cannot serve (too short, not Latin) are left out. */
  add(owner: number, words: string, by: { readonly fuzzy: boolean; readonly phonetic: boolean }): void {
    const text = words.trim();
    const count = text.split(' ').length;
    if (count > WORDS_PER_RULE) return;
    if (by.fuzzy && edits(text.length) > 0) this.fuzzy.set(count, [...(this.fuzzy.get(count) ?? []), { owner, text }]);
    const code = by.phonetic ? codeOf(text) : null;
    if (code !== null) this.phonetic.set(code, [...(this.phonetic.get(code) ?? []), owner]);
    this.longest = Math.max(this.longest, count);
  }

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.fuzzy.size === 0 && this.phonetic.size === 0;
  }

  /** Looks at every run of words of the folded text. */
  match(folded: MappedText): SoundAlikeMatch[] {
    const tokens: Token[] = Array.from(folded.text.matchAll(/[\p{L}\p{M}\p{N}_]+/gu), (found) => ({
      text: found[0],
      start: found.index,
      end: found.index + found[0].length,
    }));
    const matches: SoundAlikeMatch[] = [];
    for (let first = 0; first < tokens.length; first++) {
      for (let count = 1; count <= this.longest && first + count <= tokens.length; count++) {
        const run = tokens.slice(first, first + count);
        const text = run.map((token) => token.text).join(' ');
        const span = { start: run[0]?.start ?? 0, end: run[count - 1]?.end ?? 0 };
        for (const { owner, text: wanted } of this.fuzzy.get(count) ?? []) {
          const apart = editDistance(text, wanted, edits(wanted.length));
          if (apart === null || apart === 0) continue;
          const similarity = 1 - apart / Math.max(text.length, wanted.length);
          matches.push({ owner, ...span, view: 'fuzzy', confidence: FUZZY_WEIGHT * similarity });
        }
        const code = this.phonetic.size > 0 ? codeOf(text) : null;
        for (const owner of code === null ? [] : (this.phonetic.get(code) ?? []))
          matches.push({ owner, ...span, view: 'phonetic', confidence: PHONETIC_CONFIDENCE });
      }
    }
    return matches;
  }
}

const edits = (length: number): number => (length >= 8 ? 2 : length >= 5 ? 1 : 0);

/** Damerau-Levenshtein distance (neighbours exchanged count one), or null when it is more than `most`. */
function editDistance(one: string, other: string, most: number): number | null {
  if (Math.abs(one.length - other.length) > most) return null;
  const plain = distance(one, other);
  if (plain <= most) return plain;
  // An exchange costs two plain edits, so undoing one exchange can only gain one.
  if (plain > most * 2) return null;
  for (let index = 0; index + 1 < one.length; index++) {
    if (one[index] === other[index] || one[index] !== other[index + 1] || one[index + 1] !== other[index]) continue;
    const undone = one.slice(0, index) + one.charAt(index + 1) + one.charAt(index) + one.slice(index + 2);
    const rest = distance(undone, other);
    if (rest + 1 <= most) return rest + 1;
  }
  return null;
}

function codeOf(words: string): string | null {
  if (!/^[a-z' ]+$/.test(words)) return null;
  const code = words.split(' ').map((word) => doubleMetaphone(word)[0]);
  return code.join('').length < SHORTEST_CODE ? null : code.join(' ');
}
