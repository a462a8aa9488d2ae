/** A piece of transcript with its place in the stream, ms. */
export interface Spoken {
  startMs: number;
  endMs: number;
  text: string;
}

/** A text to look for phrases in, that may begin with the end of the utterance before. */
export interface Stitched {
  text: string;
  /** Where the new text begins in {@link text}; a hit that ends at or before it was found already. */
  offset: number;
}

/** Utterances further apart are not one sentence, ms. */
const LONGEST_GAP_MS = 2_000;

/** Puts the end of the previous utterance before the next one, so that a phrase cut in two is found. One stream. */
export class BorderStitcher {
  private previous: { endMs: number; words: string[] } | null = null;

  /** @param longestPhrase words of the longest phrase looked for; one less is carried over */
  constructor(private readonly longestPhrase: number) {}

  /** Takes the utterances in order. */
  stitch({ startMs, endMs, text }: Spoken): Stitched {
    const before = this.previous;
    const carried = before !== null && startMs - before.endMs < LONGEST_GAP_MS ? before.words : [];
    const prefix = carried.length === 0 ? '' : `${carried.join(' ')} `;
    const words = [...carried, ...text.split(/\s+/).filter((word) => word !== '')];
    const most = Math.max(0, this.longestPhrase - 1);
    this.previous = { endMs, words: most === 0 ? [] : words.slice(-most) };
    return { text: prefix + text, offset: prefix.length };
  }
}
