import type { Finds } from './automaton.js';
import { foreignScriptOf, GAP, kindOf } from './characters.js';
import type { HitList } from './hit-list.js';
import type { MappedText } from './mapped-text.js';
import type { PhraseRule, PhraseView } from './phrase-rule.js';
import type { PhraseSet, Target } from './phrase-set.js';
import { type Genuine, JOINED_MARK, LEET_MARK, SKELETON_MARK, SQUEEZE_MARK } from './views.js';

/** What was scanned: a text, how it maps to the original, and which view made it. */
export interface Reading {
  readonly text: string;
  /** Null when the text is the original itself. */
  readonly map: MappedText | null;
  readonly stage: number;
  /** The view's bit: hits must hold a unit that it changed. 0 in the plain view. */
  readonly mark: number;
  readonly genuine: Genuine;
}

/** What a view leaves of the confidence; views that work together multiply. */
const WEIGHTS: readonly (readonly [mark: number, weight: number])[] = [
  [SKELETON_MARK, 0.9],
  [LEET_MARK, 0.8],
  [JOINED_MARK, 0.75],
  [SQUEEZE_MARK, 0.8],
];
const VIEW_OF: ReadonlyMap<number, PhraseView> = new Map([
  [0, 'plain'],
  [SKELETON_MARK, 'skeleton'],
  [LEET_MARK, 'leet'],
  [JOINED_MARK, 'joined'],
  [SQUEEZE_MARK, 'squeeze'],
]);
/** Words up to this length need more letters than digits to be read as leet: `a55` is paper, `455` a number. */
const SHORT_WORD = 3;

/** Owners of patterns that one scan looks at; many rules may share a pattern, and many patterns end at one place. */
const TARGETS_PER_SCAN = 8_192;

/** Turns the finds of a scan into hits, or into notes of allowed phrases. */
export function collectFinds(
  list: HitList,
  rules: readonly PhraseRule[],
  set: PhraseSet,
  finds: Finds,
  reading: Reading,
  original: string,
): void {
  const { automaton } = set;
  let looked = 0;
  for (let index = 0; index < finds.length; index++) {
    const end = finds.pairs[2 * index + 1] ?? 0;
    for (let state = finds.pairs[2 * index] ?? 0; state > 0; state = automaton.shorterOf(state)) {
      const number = automaton.patternOf(state);
      if (number < 0) continue;
      const pattern = automaton.patterns[number] ?? '';
      let start = -1;
      for (const target of set.targetsOf(number)) {
        if (list.isFull || ++looked > TARGETS_PER_SCAN) {
          list.dropped++;
          return;
        }
        if ((target.stages & reading.stage) === 0) continue;
        if (start < 0) start = automaton.startOf(reading.text, pattern, end);
        addTarget(list, rules, target, reading, start, end, original);
      }
    }
  }
}

function addTarget(
  list: HitList,
  rules: readonly PhraseRule[],
  target: Target,
  reading: Reading,
  start: number,
  end: number,
  original: string,
): void {
  const { map } = reading;
  if (target.literal.exact && !isWhole(target, reading.text, start, end)) return;
  const from = map === null ? start : (map.starts[start] ?? 0);
  const to = map === null ? end : (map.ends[end - 1] ?? 0);
  if (target.allowed >= 0) {
    list.allow(target.allowed, from, to);
    return;
  }
  let confidence = 1;
  if (map !== null && reading.mark !== 0) {
    let marks = 0;
    for (let at = start; at < end; at++) marks |= map.marks[at] ?? 0;
    if ((marks & reading.mark) === 0) return;
    if ((marks & LEET_MARK) !== 0 && !isWordInLeet(map, start, end, original)) return;
    const disguised = target.isLatin && (marks & SKELETON_MARK) !== 0;
    if (disguised && isForeign(map, start, end, original, reading.genuine)) return;
    if (map.runs !== undefined && !isDrawn(target.source, reading.text, map.runs, start, end)) return;
    for (const [mark, weight] of WEIGHTS) if ((marks & mark) !== 0) confidence *= weight;
  }
  list.addOf(rules, target.owner, from, to, VIEW_OF.get(reading.mark) ?? 'plain', confidence);
}

/** Whether an exact pattern has its word borders. */
function isWhole({ literal }: Target, text: string, start: number, end: number): boolean {
  const before = start > 0 ? codePointBefore(text, start) : 32;
  if (literal.startsWord && kindOf(before) !== GAP) return false;
  return !(literal.endsWord && kindOf(text.codePointAt(end) ?? 32) !== GAP);
}

function codePointBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  const low = unit >= 0xdc00 && unit <= 0xdfff && at > 1;
  return text.codePointAt(low ? at - 2 : at - 1) ?? unit;
}

function isWordInLeet(map: MappedText, start: number, end: number, original: string): boolean {
  let letters = 0;
  let signs = 0;
  let digits = 0;
  for (let at = start; at < end; at++) {
    if (((map.marks[at] ?? 0) & LEET_MARK) === 0) letters += map.text.charAt(at) === ' ' ? 0 : 1;
    else if (/\p{N}/u.test(original.charAt(map.starts[at] ?? 0))) digits++;
    else signs++;
  }
  if (letters === 0) return false;
  return letters + signs + digits <= SHORT_WORD ? letters + signs > digits : (letters + signs) * 2 >= digits;
}

/** Whether a word that is all look-alikes of one script stands among real letters of it: then it is just that script. */
function isForeign(map: MappedText, start: number, end: number, original: string, genuine: Genuine): boolean {
  if (genuine.size === 0) return false;
  let script: string | null = null;
  for (let at = start; at < end; at++) {
    if (map.text.charAt(at) === ' ') continue;
    if (((map.marks[at] ?? 0) & SKELETON_MARK) === 0) return false;
    const own = foreignScriptOf(original.codePointAt(map.starts[at] ?? 0) ?? 0);
    if (own === null || (script !== null && own !== script)) return false;
    script = own;
  }
  const letters = genuine.get(script ?? '');
  return (
    letters !== undefined && (letters.first < (map.starts[start] ?? 0) || letters.last >= (map.ends[end - 1] ?? 0))
  );
}

/** Whether each letter stands at least as often in the text as in the pattern. */
function isDrawn(source: string, text: string, runs: readonly number[], start: number, end: number): boolean {
  const wanted = Array.from(source.trim().matchAll(/(.)\1*/gsu), ([run]) => run).filter((run) => run.trim() !== '');
  let index = 0;
  for (let at = start; at < end; at++) {
    const run = wanted[index];
    if (run === undefined || run.charAt(0) !== text.charAt(at)) continue;
    if ((runs[at] ?? 0) < run.length) return false;
    index++;
  }
  return index === wanted.length;
}
