import { foldCharacter, GAP, unitKinds } from './characters.js';
import { LETTER_BLOCKS, LOOSE_LOOKALIKES, STRICT_LOOKALIKES } from './confusables.data.js';
import { type MappedText, TextMapper } from './mapped-text.js';

/** The bit a view leaves on each unit it changed. */
export const SKELETON_MARK = 1;
export const LEET_MARK = 2;
export const JOINED_MARK = 4;
export const SQUEEZE_MARK = 8;

interface LookAlikes {
  /** Folded character to the ASCII letter it resembles. */
  readonly letters: ReadonlyMap<string, string>;
  /** Characters that no reader of their own script would write for that letter. */
  readonly loose: ReadonlySet<string>;
}

let lookAlikes: LookAlikes | null = null;

function loadLookAlikes(): LookAlikes {
  if (lookAlikes !== null) return lookAlikes;
  const letters = new Map<string, string>();
  const loose = new Set<string>();
  for (const [table, target] of [
    [LOOSE_LOOKALIKES, loose],
    [STRICT_LOOKALIKES, null],
  ] as const) {
    for (const [letter, likes] of Object.entries(table)) {
      for (const like of likes) {
        const folded = foldCharacter(like.codePointAt(0) ?? 0).text;
        if (folded.length === 0 || folded.charCodeAt(0) < 0x80) continue;
        letters.set(folded, letter);
        target?.add(folded);
      }
    }
  }
  for (const { first, letters: block } of LETTER_BLOCKS) {
    for (let index = 0; index < block.length; index++)
      letters.set(String.fromCodePoint(first + index), block.charAt(index));
  }
  lookAlikes = { letters, loose };
  return lookAlikes;
}

const letterPattern = /^\p{L}$/u;

/** A skeleton, and where the text holds letters that are no look-alikes, which shows that it is not English in disguise. */
export interface Skeleton {
  readonly view: MappedText;
  /** Offsets in the original of letters, of scripts other than Latin, that resemble none. */
  readonly genuine: readonly number[];
}

/** View 4: look-alike letters as the Latin ones they resemble; null when there are none. */
export function skeleton(folded: MappedText): Skeleton | null {
  const { letters, loose } = loadLookAlikes();
  const mapper = new TextMapper();
  const genuine: number[] = [];
  let changed = false;
  const { text } = folded;
  for (let index = 0; index < text.length; index++) {
    const codePoint = text.codePointAt(index) ?? 0;
    if (codePoint < 0x80) {
      mapper.copy(folded, index);
      continue;
    }
    const character = String.fromCodePoint(codePoint);
    const letter = letters.get(character);
    if (letter === undefined ? letterPattern.test(character) : loose.has(character))
      genuine.push(folded.starts[index] ?? 0);
    if (letter === undefined) {
      mapper.copy(folded, index);
    } else {
      changed = true;
      mapper.copy(folded, index, letter, SKELETON_MARK);
    }
    if (codePoint > 0xffff) {
      index++;
      if (letter === undefined) mapper.copy(folded, index);
      else mapper.extend(folded.ends[index] ?? 0);
    }
  }
  return changed ? { view: mapper.done(), genuine } : null;
}

/** Each digit or sign that is read as a letter. `1`, `!` and `|` are read twice, as i and as l. */
const LEET: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '2': 'z', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '|': 'i', '(': 'c', '+': 't', '#': 'h' },
};
/** Signs that are punctuation unless they stand inside a word. */
const INSIDE_ONLY = '!|(+#';
const tokenPattern = /[a-z0-9@$!|(+#]+/g;

/** Whether leet could matter: a letter next to a digit or to a sign that stands inside a word. Cheap. */
export function mayBeLeet(text: string): boolean {
  return /[a-z][0-9@$]|[0-9@$][a-z]|[a-z0-9@$][!|(+#]+[a-z0-9@$]/i.test(text);
}

/**
 * View 5: digits and signs as letters, in words that also hold a letter.
 *
 * @param one what `1`, `!` and `|` are read as
 */
export function leet(mapped: MappedText, one: 'i' | 'l'): MappedText | null {
  const { text } = mapped;
  const mapper = new TextMapper();
  let copied = 0;
  let changed = false;
  for (const found of text.matchAll(tokenPattern)) {
    let from = found.index;
    let to = from + found[0].length;
    while (from < to && INSIDE_ONLY.includes(text.charAt(from))) from++;
    while (from < to && INSIDE_ONLY.includes(text.charAt(to - 1))) to--;
    const token = text.slice(from, to);
    if (!/[a-z]/.test(token) || !/[^a-z]/.test(token)) continue;
    for (; copied < from; copied++) mapper.copy(mapped, copied);
    for (; copied < to; copied++) {
      const letter = LEET[text.charAt(copied)];
      if (letter === undefined) mapper.copy(mapped, copied);
      else mapper.copy(mapped, copied, letter === 'i' ? one : letter, LEET_MARK);
    }
    changed = true;
  }
  if (!changed) return null;
  for (; copied < text.length; copied++) mapper.copy(mapped, copied);
  return mapper.done();
}

/** Single letters in a row that make a spaced-out word. */
const JOIN_AT_LEAST = 3;
/** Units of white space or punctuation between two spaced-out letters, at most. */
const JOIN_GAP = 4;

/** Whether joining could matter: three single letters in a row, or an underscore. Cheap. */
export function mayBeSpaced(text: string): boolean {
  if (text.includes('_')) return true;
  return /(?:^|[^\p{L}\p{N}])[\p{L}\p{N}](?:[^\p{L}\p{N}]{1,4}[\p{L}\p{N}]){2}(?![\p{L}\p{N}])/u.test(text);
}

/**
 * View 7: runs of three and more single letters, parted by white space, punctuation or `_`, as words. A gap wider
 * than the run's first one parts two words.
 *
 * @param evenly whether wider gaps part words; without it they count like the others
 */
export function joined(mapped: MappedText, evenly: boolean): MappedText | null {
  const { text } = mapped;
  const kinds = unitKinds();
  const isGap = (index: number): boolean => {
    const unit = text.charCodeAt(index);
    return unit === 95 || kinds[unit] === GAP;
  };
  const mapper = new TextMapper();
  let changed = false;
  let index = 0;
  let run: number[] = [];
  let runEnd = 0;
  let copied = 0;
  // An underscore parts words here, and marks the phrase that it stands in.
  const copyTo = (end: number): void => {
    for (; copied < end; copied++) {
      const underscore = text.charCodeAt(copied) === 95;
      if (underscore) changed = true;
      mapper.copy(mapped, copied, underscore ? ' ' : undefined, underscore ? JOINED_MARK : 0);
    }
  };
  const close = (): void => {
    if (run.length >= JOIN_AT_LEAST) {
      changed = true;
      const first = run[0] ?? 0;
      copyTo(first);
      const width = (run[1] ?? 0) - first;
      for (const [position, at] of run.entries()) {
        const previous = run[position - 1];
        if (previous !== undefined && evenly && at - previous > width) mapper.copy(mapped, at - 1, ' ', JOINED_MARK);
        mapper.copy(mapped, at, undefined, JOINED_MARK);
      }
      copied = runEnd;
    }
    run = [];
  };
  while (index < text.length) {
    if (isGap(index)) {
      index++;
      continue;
    }
    const start = index;
    while (index < text.length && !isGap(index)) index++;
    const last = run[run.length - 1];
    if (index - start === 1) {
      if (last !== undefined && start - last - 1 > JOIN_GAP) close();
      run.push(start);
      runEnd = index;
    } else close();
  }
  close();
  copyTo(text.length);
  if (!changed) return null;
  return mapper.done();
}

/** A letter this often in a row is a drawl. */
const DRAWL = 3;

/** Whether squeezing could matter: a letter three times in a row. Cheap. */
export function mayBeDrawn(text: string): boolean {
  for (let index = 2, before = text.charCodeAt(0), last = text.charCodeAt(1); index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === last && last === before) return true;
    before = last;
    last = unit;
  }
  return false;
}

/** View 6: each run of one letter as one letter, with its length; null when no letter stands three times in a row. */
export function squeezed(mapped: MappedText): MappedText | null {
  if (!mayBeDrawn(mapped.text)) return null;
  const { text } = mapped;
  const mapper = new TextMapper();
  const runs: number[] = [];
  for (let index = 0; index < text.length;) {
    let to = index + 1;
    while (to < text.length && text.charCodeAt(to) === text.charCodeAt(index)) to++;
    mapper.copy(mapped, index, undefined, to - index >= DRAWL ? SQUEEZE_MARK : 0);
    mapper.extend(mapped.ends[to - 1] ?? 0);
    runs.push(to - index);
    index = to;
  }
  return { ...mapper.done(), runs };
}

/** The skeleton of a pattern, for comparing with the skeleton of a text. */
export function skeletonOf(pattern: string): string {
  const { letters } = loadLookAlikes();
  return Array.from(pattern, (character) => letters.get(character) ?? character).join('');
}

/** A pattern with each run of one letter as one letter. */
export function squeeze(pattern: string): string {
  return pattern.replace(/(.)\1+/gsu, '$1');
}
