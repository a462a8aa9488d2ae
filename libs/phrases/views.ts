import { foldCharacter, foreignScriptOf, GAP, unitKinds } from './characters.js';
import { CAPITAL_LOOKALIKES, LETTER_BLOCKS, LOOSE_LOOKALIKES, STRICT_LOOKALIKES } from './confusables.data.js';
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
  /** Capitals whose folded form resembles another letter than they do themselves. */
  readonly capitals: ReadonlyMap<string, string>;
  /** What those capitals fold to. */
  readonly folded: ReadonlySet<string>;
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
  const capitals = new Map<string, string>();
  for (const [letter, likes] of Object.entries(CAPITAL_LOOKALIKES))
    for (const like of likes) capitals.set(like, letter);
  const folded = new Set([...capitals.keys()].map((like) => foldCharacter(like.codePointAt(0) ?? 0).text));
  lookAlikes = { letters, loose, capitals, folded };
  return lookAlikes;
}

/**
 * Where a text holds letters of scripts other than Latin that resemble none, which shows that it is truly written in
 * that script: for each script the first and the last offset in the original.
 */
export type Genuine = ReadonlyMap<string, { readonly first: number; readonly last: number }>;

/** A skeleton, and what shows that the text is not English in disguise. */
export interface Skeleton {
  readonly view: MappedText;
  readonly genuine: Genuine;
}

/** The letter that a capital resembles where its folded form resembles another one (`Ν` and `ν`). */
function likeOfCapital({ capitals }: LookAlikes, original: string, at: number): string | undefined {
  const character = String.fromCodePoint(original.codePointAt(at) ?? 0);
  return capitals.get(character) ?? capitals.get(character.normalize('NFKD').charAt(0));
}

/**
 * View 4: look-alike letters as the Latin ones they resemble; null when there are none.
 *
 * @param original what was folded: some capitals resemble another letter than their folded form
 */
export function skeleton(folded: MappedText, original: string): Skeleton | null {
  const known = loadLookAlikes();
  const { letters, loose } = known;
  const mapper = new TextMapper();
  const genuine = new Map<string, { first: number; last: number }>();
  let changed = false;
  const { text } = folded;
  for (let index = 0; index < text.length; index++) {
    const codePoint = text.codePointAt(index) ?? 0;
    if (codePoint < 0x80) {
      mapper.copy(folded, index);
      continue;
    }
    const character = String.fromCodePoint(codePoint);
    const capital = known.folded.has(character) ? likeOfCapital(known, original, folded.starts[index] ?? 0) : undefined;
    const letter = capital ?? letters.get(character);
    const script = letter === undefined || loose.has(character) ? foreignScriptOf(codePoint) : null;
    if (script !== null) {
      const last = folded.starts[index] ?? 0;
      genuine.set(script, { first: genuine.get(script)?.first ?? last, last });
    }
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

/** A capital i after a small letter, or after another such one: `paypaI`. */
const tallPattern = /(?<=\p{Ll})[IІΙӀ]+/gu;

/** Whether ASCII text may hold a capital i that is meant as an l. Cheap. */
export function mayBeTall(text: string): boolean {
  return /[a-z]I/.test(text);
}

/** View 4 as well: capital i inside a word as the small l it resembles; null when there is none. */
export function tallLetters(mapped: MappedText, original: string): MappedText | null {
  const tall = new Set<number>();
  for (const { 0: run, index } of original.matchAll(tallPattern))
    for (let at = index; at < index + run.length; at++) tall.add(at);
  if (tall.size === 0) return null;
  const mapper = new TextMapper();
  for (let index = 0; index < mapped.text.length; index++) {
    const isTall = mapped.text.charAt(index) === 'i' && tall.has(mapped.starts[index] ?? -1);
    if (isTall) mapper.copy(mapped, index, 'l', SKELETON_MARK);
    else mapper.copy(mapped, index);
  }
  return mapper.done();
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

/** Single letters that people write as words, and that may stand beside a spaced-out word: `a f r e e one, u r`. */
const LONE_WORDS = 'aiounry';

/** How a run of single letters falls into words. */
export interface Parting {
  /** Whether gaps wider than the run's first one part words; without it they count like the others. */
  readonly evenly: boolean;
  /** So many of its first and of its last letters are words by themselves. */
  readonly lead: number;
  readonly trail: number;
}

/** The ways to read a run; the one that goes by its gaps comes last, for what follows builds on it. */
export const PARTINGS: readonly Parting[] = [
  { evenly: false, lead: 1, trail: 0 },
  { evenly: false, lead: 2, trail: 0 },
  { evenly: false, lead: 3, trail: 0 },
  { evenly: false, lead: 0, trail: 1 },
  { evenly: false, lead: 0, trail: 0 },
  { evenly: true, lead: 0, trail: 0 },
];

/**
 * View 7: runs of three and more single letters, parted by white space, punctuation or `_`, as words; null when there
 * are none, or none that can be parted like that.
 */
export function joined(mapped: MappedText, { evenly, lead, trail }: Parting): MappedText | null {
  const { text } = mapped;
  const kinds = unitKinds();
  const isGap = (index: number): boolean => {
    const unit = text.charCodeAt(index);
    return unit === 95 || kinds[unit] === GAP;
  };
  const mapper = new TextMapper();
  let changed = false;
  let index = 0;
  let run: { readonly start: number; readonly end: number }[] = [];
  let copied = 0;
  // An underscore parts words here, and marks the phrase that it stands in.
  const copyTo = (end: number): void => {
    for (; copied < end; copied++) {
      const underscore = text.charCodeAt(copied) === 95;
      if (underscore && !partsLone) changed = true;
      mapper.copy(mapped, copied, underscore ? ' ' : undefined, underscore ? JOINED_MARK : 0);
    }
  };
  const partsLone = lead + trail > 0;
  const isLone = ({ start }: { readonly start: number }): boolean => LONE_WORDS.includes(text.charAt(start));
  const close = (): void => {
    const lone = [...run.slice(0, lead), ...run.slice(run.length - trail)];
    if (run.length - lone.length >= JOIN_AT_LEAST && lone.every(isLone)) {
      changed = true;
      copyTo(run[0]?.start ?? 0);
      const width = (run[1]?.start ?? 0) - (run[0]?.end ?? 0);
      for (const [position, { start, end }] of run.entries()) {
        const previous = run[position - 1];
        const isApart = position <= lead || position >= run.length - trail;
        if (previous !== undefined && (isApart || (evenly && start - previous.end > width)))
          mapper.copy(mapped, start - 1, ' ', JOINED_MARK);
        for (copied = start; copied < end; copied++) mapper.copy(mapped, copied, undefined, JOINED_MARK);
      }
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
    // One character may be several units once it is folded (ß, vowel signs).
    if (index - start === 1 || mapped.starts[start] === mapped.starts[index - 1]) {
      if (start - (run.at(-1)?.end ?? start) > JOIN_GAP) close();
      run.push({ start, end: index });
    } else close();
  }
  close();
  copyTo(text.length);
  if (!changed) return null;
  return mapper.done();
}

/** A letter this often in a row is a drawl, and so are as many letters in a row that are all doubled (`ffrreee`). */
export const DRAWL = 3;

/** Whether squeezing could matter: one letter, or doubled letters, three times in a row. Cheap. */
function isDrawnOut(text: string): boolean {
  let [run, doubled] = [1, 0];
  for (let index = 1; index <= text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === text.charCodeAt(index - 1)) {
      if (++run === DRAWL) return true;
      continue;
    }
    doubled = run > 1 ? doubled + 1 : 0;
    if (doubled === DRAWL) return true;
    run = 1;
  }
  return false;
}

/** View 6: each run of one letter as one letter, with its length; null when nothing is drawn out. */
export function squeezed(mapped: MappedText): MappedText | null {
  const { text } = mapped;
  if (!isDrawnOut(text)) return null;
  const mapper = new TextMapper();
  const runs: number[] = [];
  let doubled = 0;
  for (let index = 0; index < text.length;) {
    let to = index + 1;
    while (to < text.length && text.charCodeAt(to) === text.charCodeAt(index)) to++;
    doubled = to - index > 1 ? doubled + 1 : 0;
    mapper.copy(mapped, index, undefined, to - index >= DRAWL || doubled >= DRAWL ? SQUEEZE_MARK : 0);
    mapper.extend(mapped.ends[to - 1] ?? 0);
    runs.push(to - index);
    index = to;
  }
  return { ...mapper.done(), runs };
}

/** The skeletons of a folded pattern, in small letters and in capitals, for comparing with the skeleton of a text. */
export function skeletonsOf(pattern: string): ReadonlySet<string> {
  const { letters, capitals } = loadLookAlikes();
  const small = (character: string): string => letters.get(character) ?? character;
  const large = (character: string): string => capitals.get(character.toUpperCase()) ?? small(character);
  return new Set([small, large].map((like) => Array.from(pattern, like).join('')));
}

/** A pattern with each run of one letter as one letter. */
export function squeeze(pattern: string): string {
  return pattern.replace(/(.)\1+/gsu, '$1');
}
