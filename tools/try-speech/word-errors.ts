/** How far a transcript is from what was said. */
export interface WordErrors {
  /** Words that were said. */
  words: number;
  /** Words substituted, left out or put in, at least. */
  errors: number;
  wordErrorRate: number;
}

/** Word error rate: Levenshtein distance over words, without case and punctuation, per word said. */
export function wordErrors(said: string, written: string): WordErrors {
  const [wanted, got] = [wordsOf(said), wordsOf(written)];
  let row = Array.from({ length: got.length + 1 }, (_, index) => index);
  for (const [index, word] of wanted.entries()) {
    const next = [index + 1];
    for (const [at, other] of got.entries()) {
      const substituted = (row[at] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(substituted, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  const errors = row.at(-1) ?? 0;
  const rate = wanted.length === 0 ? 0 : errors / wanted.length;
  return { words: wanted.length, errors, wordErrorRate: Math.round(rate * 1_000) / 1_000 };
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/['’]/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
