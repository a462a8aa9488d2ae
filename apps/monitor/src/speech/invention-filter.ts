import { deflateSync } from 'node:zlib';

/** What was written down of one utterance, and what is known of its sound. */
export interface Hearing {
  text: string;
  /** Length of the utterance, ms. */
  durationMs: number;
  /** Mean probability of speech, 0 to 1. */
  vadMean: number;
}

/** Which filter struck. All but `loop_collapsed` drop the text. */
export type InventionFilter =
  'empty' | 'compression_ratio' | 'too_fast' | 'stock_phrase' | 'exact_repeat' | 'loop_collapsed';

/** The verdict on one text. */
export interface Filtered {
  /** Null when it was dropped. */
  text: string | null;
  filters: InventionFilter[];
}

/** Whisper's own limit (openai/whisper `compression_ratio_threshold`). */
const MAX_COMPRESSION = 2.4;
const MAX_CHARACTERS_PER_SECOND = 25;
/** Below this mean probability of speech a stock phrase is not believed. */
const WEAK_VOICE = 0.6;
/** Longer output of one utterance is cut: at 25 characters a second 15 s hold 375. */
const MAX_CHARACTERS = 4_000;
const LONGEST_LOOP_TOKENS = 4;
const LOOP_TIMES = 3;
const REMEMBERED = 2;

/** What Whisper-like models write for silence and music: endings of the films they were trained on. */
const STOCK_PHRASES: ReadonlySet<string> = new Set([
  ...['you', 'bye', 'bye bye', 'thank you', 'thank you very much', 'thank you so much', 'thanks', 'okay', 'oh', 'so'],
  ...['thanks for watching', 'thank you for watching', 'thank you so much for watching', 'thanks for listening'],
  ...['please subscribe', 'please subscribe to my channel', 'like and subscribe', 'dont forget to subscribe'],
  ...['see you next time', 'see you in the next video', 'ill see you next time', 'music', 'applause', 'silence'],
  ...['subtitles by the amara org community', 'subtitles by the amaraorg community', 'the end', 'to be continued'],
  ...['untertitel der amara org community', 'untertitel im auftrag des zdf', 'vielen dank', 'gracias por ver el video'],
  ...['sous titres réalisés par la communauté d amara org', 'ご視聴ありがとうございました', '시청해주셔서 감사합니다'],
]);

/**
 * Tells what an engine heard from what it made up. One per stream: it remembers the last texts. Thresholds as in
 * openai/whisper and faster-whisper, the rest from reports of what these models invent on music and silence.
 */
export class InventionFilterChain {
  /** How often each filter struck. */
  readonly counts: Partial<Record<InventionFilter, number>> = {};
  private readonly recent: string[] = [];

  judge(hearing: Hearing): Filtered {
    const verdict = this.verdict(hearing);
    for (const filter of verdict.filters) this.counts[filter] = (this.counts[filter] ?? 0) + 1;
    return verdict;
  }

  private verdict({ text, durationMs, vadMean }: Hearing): Filtered {
    const written = text.slice(0, MAX_CHARACTERS).replace(/\s+/g, ' ').trim();
    if (normalized(written) === '') return dropped('empty');
    if (compressionRatio(written) > MAX_COMPRESSION) return dropped('compression_ratio');
    const collapsed = collapseLoops(written);
    if ((collapsed.length * 1_000) / durationMs > MAX_CHARACTERS_PER_SECOND) return dropped('too_fast');
    const plain = normalized(collapsed);
    if (vadMean < WEAK_VOICE && STOCK_PHRASES.has(plain)) return dropped('stock_phrase');
    const repeated = this.recent.includes(plain);
    this.recent.push(plain);
    if (this.recent.length > REMEMBERED) this.recent.shift();
    if (repeated) return dropped('exact_repeat');
    return { text: collapsed, filters: collapsed === written ? [] : ['loop_collapsed'] };
  }
}

function dropped(filter: InventionFilter): Filtered {
  return { text: null, filters: [filter] };
}

/** Letters and digits in lower case, single spaces. */
function normalized(text: string): string {
  return text
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

/** Bytes over deflated bytes; well-formed speech lies below 2, loops above 2.4. */
export function compressionRatio(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length === 0 ? 0 : bytes.length / deflateSync(bytes).length;
}

/** Leaves one of each run of 1 to 4 words that is said three times or more in a row. Linear in the text. */
export function collapseLoops(text: string): string {
  let words = text.split(' ');
  for (let size = 1; size <= LONGEST_LOOP_TOKENS; size += 1) words = collapseRuns(words, size);
  return words.join(' ');
}

function collapseRuns(words: readonly string[], size: number): string[] {
  const plain = words.map(normalized);
  const kept: string[] = [];
  for (let at = 0; at < words.length;) {
    // How many words from here on equal the word one period later.
    let matching = 0;
    while (at + matching + size < words.length && plain[at + matching] === plain[at + matching + size]) matching += 1;
    const times = Math.floor(matching / size) + 1;
    kept.push(...words.slice(at, at + (times >= LOOP_TIMES ? size : 1)));
    at += times >= LOOP_TIMES ? times * size : 1;
  }
  return kept;
}
