import { foldCharacter, GAP, joinsSyllable, partsWords, WORD } from './characters.js';
import { type MappedText, TextMapper } from './mapped-text.js';

/** Marks on one letter that are looked at; the stream-safe format of UAX #15 allows 30. */
const MARKS_PER_LETTER = 30;

/**
 * Folds a text for comparison: case, width, ligatures, accents (Latin, Greek, Cyrillic), invisible characters. Each
 * unit maps back to the whole character it came from, its marks and invisible companions included.
 */
export function fold(text: string): MappedText {
  const mapper = new TextMapper();
  let index = 0;
  while (index < text.length) {
    const unit = text.charCodeAt(index);
    const next = index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
    if (unit < 0x80 && next < 0x80) {
      mapper.add(unit >= 65 && unit <= 90 ? String.fromCharCode(unit + 32) : text.charAt(index), index, index + 1);
      index++;
    } else {
      index = foldCluster(text, index, mapper);
    }
  }
  return mapper.done();
}

/** Folds the letter at `start` with the marks that follow it; returns where the next one begins. */
function foldCluster(text: string, start: number, mapper: TextMapper): number {
  const first = text.codePointAt(start) ?? 0;
  const base = foldCharacter(first);
  let end = start + (first > 0xffff ? 2 : 1);
  let kept = '';
  let count = 0;
  while (end < text.length) {
    const codePoint = text.codePointAt(end) ?? 0;
    if (codePoint < 0x80) break;
    const follower = foldCharacter(codePoint);
    const syllable = joinsSyllable(codePoint) && joinsHangul(first);
    if (!follower.isMark && !syllable) break;
    if (!base.dropsMarks && count < MARKS_PER_LETTER) kept += follower.text;
    count++;
    end += codePoint > 0xffff ? 2 : 1;
  }
  if (base.text === '' && kept === '') mapper.extend(end);
  else mapper.add(kept === '' ? base.text : (base.text + kept).normalize('NFKC'), start, end);
  return end;
}

const joinsHangul = (codePoint: number): boolean =>
  (codePoint >= 0x1100 && codePoint <= 0x115e) || (codePoint >= 0xac00 && codePoint <= 0xd7a3);

/**
 * Prepares folded text for the matcher: a sign outside the basic plane becomes one space, and a space of no width
 * parts a script without spaces from one with them.
 */
export function partWords(folded: MappedText): MappedText {
  const { text } = folded;
  const mapper = new TextMapper();
  let previous = GAP;
  for (let index = 0; index < text.length; index++) {
    const codePoint = text.codePointAt(index) ?? 0;
    const astral = codePoint > 0xffff;
    const kind = codePoint < 0x80 ? asciiKind(codePoint) : wideKind(codePoint, previous);
    if (partsWords(previous, kind)) {
      const at = folded.starts[index] ?? 0;
      mapper.add(' ', at, at);
    }
    previous = kind;
    if (astral && kind === GAP) mapper.copy(folded, index, ' ');
    else mapper.copy(folded, index);
    if (!astral) continue;
    index++;
    if (kind !== GAP) mapper.copy(folded, index);
  }
  return mapper.done();
}

const asciiKind = (unit: number): number =>
  (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || unit === 95 || (unit >= 65 && unit <= 90) ? WORD : GAP;

/** A mark is of the kind of the letter it stands on. */
const wideKind = (codePoint: number, previous: number): number => {
  const { kind, isMark } = foldCharacter(codePoint);
  return isMark && previous !== GAP ? previous : kind;
};
