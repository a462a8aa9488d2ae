/** What a UTF-16 unit of folded text is to the matcher. */
export const WORD = 0;
/** White space, punctuation, signs: whatever parts words. */
export const GAP = 1;
/** A letter of a script that is written without spaces, or glues particles to words. */
const UNSPACED = 2;

const wordPattern = /^[\p{L}\p{M}\p{N}_]$/u;
const unspacedPattern =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]$/u;

let kinds: Uint8Array | null = null;

/** Kind of each unit of the basic plane. Made at first use, then shared; about 10 ms. */
export function unitKinds(): Uint8Array {
  if (kinds !== null) return kinds;
  kinds = new Uint8Array(0x10000);
  for (let unit = 0; unit < 0x10000; unit++) kinds[unit] = kindOf(unit);
  return kinds;
}

/** Kind of a code point; half a surrogate pair counts as a letter. */
export function kindOf(codePoint: number): number {
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return WORD;
  const text = String.fromCodePoint(codePoint);
  if (!wordPattern.test(text)) return GAP;
  return unspacedPattern.test(text) ? UNSPACED : WORD;
}

/** Whether two neighbouring letters belong to different words although nothing parts them (`加line`). */
export function partsWords(left: number, right: number): boolean {
  return left !== right && left !== GAP && right !== GAP;
}

const letterPattern = /^\p{L}$/u;
/** Scripts that lend look-alikes, those that one text mixes as one. */
const SCRIPTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['latin', /\p{Script=Latin}/u],
  ['cyrillic', /\p{Script=Cyrillic}/u],
  ['greek', /\p{Script=Greek}/u],
  ['armenian', /\p{Script=Armenian}/u],
  ['cherokee', /\p{Script=Cherokee}/u],
  ['canadian', /\p{Script=Canadian_Aboriginal}/u],
  ['lisu', /\p{Script=Lisu}/u],
  ['hebrew', /\p{Script=Hebrew}/u],
  ['east asian', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}]/u],
];

/** The script of a letter other than Latin, as far as look-alikes need to know; null for Latin letters and all else. */
export function foreignScriptOf(codePoint: number): string | null {
  if (codePoint < 0x80) return null;
  const character = String.fromCodePoint(codePoint);
  if (!letterPattern.test(character)) return null;
  const [name] = SCRIPTS.find(([, pattern]) => pattern.test(character)) ?? ['other'];
  return name === 'latin' ? null : name;
}

/** Whether a letter belongs to a script that does without spaces. */
export function isUnspaced(codePoint: number): boolean {
  return kindOf(codePoint) === UNSPACED;
}

/**
 * Characters that show nothing: Unicode's Default_Ignorable_Code_Point (soft hyphen, zero-width and bidirectional
 * marks, variation selectors, fillers, tags), and the stroke that only stretches an Arabic word.
 */
const ignorablePattern = /^[\p{Default_Ignorable_Code_Point}\u0640]$/u;

const markPattern = /^\p{M}$/u;
const strippedMarkPattern = /[\p{Mn}\p{Me}]/gu;
/** Scripts whose accents are dropped; in others marks are letters in all but name. */
const accentedPattern = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]/u;

/** How one code point folds. */
export interface FoldedCharacter {
  /** The folded text; empty for what shows nothing. */
  readonly text: string;
  /** A combining mark, which belongs to the letter before it. */
  readonly isMark: boolean;
  /** Marks after this character are dropped. */
  readonly dropsMarks: boolean;
  readonly kind: number;
}

const cache = new Map<number, FoldedCharacter>();
const CACHE_LIMIT = 16_384;

/** What half a surrogate pair without its other half is shown as: a sign, which parts words. */
const LOOSE_HALF = '\ufffd';

/**
 * Folds one code point: compatibility decomposition, accents off for Latin, Greek and Cyrillic, full case folding
 * (by lower, upper and lower case, which also joins ẞ, ß and ss, final and inner sigma), compatibility composition.
 */
export function foldCharacter(codePoint: number): FoldedCharacter {
  const known = cache.get(codePoint);
  if (known !== undefined) return known;
  const folded = compute(codePoint);
  if (cache.size < CACHE_LIMIT) cache.set(codePoint, folded);
  return folded;
}

function compute(codePoint: number): FoldedCharacter {
  const original = String.fromCodePoint(codePoint);
  const loose = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (loose) return { text: LOOSE_HALF, isMark: false, dropsMarks: true, kind: GAP };
  if (ignorablePattern.test(original)) return { text: '', isMark: true, dropsMarks: true, kind: WORD };
  // A halfwidth voiced sound mark is a letter by itself, and a mark once it is folded.
  const composed = original.normalize('NFKC');
  const isMark = markPattern.test(original) || markPattern.test(composed);
  if (isMark) return { text: composed, isMark, dropsMarks: false, kind: WORD };
  const decomposed = original.normalize('NFKD');
  const dropsMarks = accentedPattern.test(decomposed);
  const bare = dropsMarks ? decomposed.replace(strippedMarkPattern, '') : decomposed;
  const cased = Array.from(bare, (letter) => letter.toLowerCase().toUpperCase().toLowerCase()).join('');
  const lower = dropsMarks ? cased.normalize('NFKD').replace(strippedMarkPattern, '') : cased;
  const text = lower.normalize('NFKC');
  return { text, isMark, dropsMarks, kind: kindOf(text.codePointAt(0) ?? 0x20) };
}

/** Whether a code point is a Hangul vowel or final consonant that joins the one before it into a syllable. */
export function joinsSyllable(codePoint: number): boolean {
  return codePoint >= 0x1161 && codePoint <= 0x11ff;
}
