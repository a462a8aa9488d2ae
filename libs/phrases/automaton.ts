import { GAP as GAP_KIND, unitKinds } from './characters.js';
import { DoubleArray } from './double-array.js';
import { DRAWL } from './views.js';

/** Class of a unit that no pattern holds. */
const OTHER = 0;
/** Class of whatever parts words; a run of it counts once. */
const GAP = 1;
/** Work between two yields of a build, in states or patterns. */
const SLICE = 256;

/** Hints that a scan of ASCII text gathers on its way. */
export const HAS_LEET = 1 << 20;
export const HAS_DRAWL = 1 << 21;
export const HAS_SINGLES = 1 << 22;
const HAS_UNDERSCORE = 1 << 23;
export const HAS_TALL = 1 << 24;
const CLASS_BITS = 0xfffff;
/** What a scan answers for text that is not ASCII. */
export const NOT_ASCII = -1;

/** Where a scan leaves its finds: pairs of the state reached and the offset after its last unit. */
export class Finds {
  readonly pairs: Int32Array;
  length = 0;
  dropped = 0;

  /** @param limit finds kept; what comes after is counted in `dropped` */
  constructor(limit: number) {
    this.pairs = new Int32Array(limit * 2);
  }
}

/**
 * Finds any number of patterns in one pass (Aho and Corasick 1975) over classes of units: what parts words is one
 * class and its runs count once, so that ` free money ` is found in `"Free  money!"` with its word borders.
 */
export class Automaton {
  private constructor(
    private readonly cells: Int32Array,
    private readonly fail: Int32Array,
    private readonly root: Int32Array,
    private readonly classes: Uint16Array,
    private readonly ascii: Int32Array,
    private readonly patternAt: Int32Array,
    private readonly shorter: Int32Array,
    /** Sorted and unique; finds name them by index. */
    readonly patterns: readonly string[],
    private readonly gapAround: boolean,
  ) {}

  /**
   * Builds in steps, so that the caller can let other work in between.
   *
   * @param texts patterns in folded units; a space is a gap
   * @param exact only white space is a gap, and no gap is assumed around the text
   */
  static *build(texts: Iterable<string>, exact: boolean): Generator<void, Automaton> {
    const patterns = yield* sortedUnique(texts);
    const { classes, ascii, count } = yield* classify(patterns, exact);
    const array = new DoubleArray();
    let fail = new Int32Array(1_024);
    let patternAt = new Int32Array(1_024).fill(-1);
    let shorter = new Int32Array(1_024);
    const root = new Int32Array(count);
    // Breadth first over the sorted patterns: a state is the range of patterns that share its prefix.
    let level: { state: number; from: number; to: number }[] = [{ state: 0, from: 0, to: patterns.length }];
    for (let depth = 0, work = 0; level.length > 0; depth++) {
      const next: typeof level = [];
      for (const { state, from, to } of level) {
        const groups = childrenOf(patterns, classes, depth, from, to);
        if (groups.length === 0) continue;
        const base = array.place(
          state,
          groups.map(({ unitClass }) => unitClass),
        );
        if (array.size > fail.length) {
          const size = array.size * 2;
          fail = resized(fail, size, 0);
          patternAt = resized(patternAt, size, -1);
          shorter = resized(shorter, size, 0);
        }
        for (const group of groups) {
          const child = base + group.unitClass;
          if (state === 0) root[group.unitClass] = child;
          const back = state === 0 ? 0 : follow(array.cells, fail, root, fail[state] ?? 0, group.unitClass);
          fail[child] = back;
          if ((patterns[group.from]?.length ?? 0) === depth + 1) patternAt[child] = group.from;
          shorter[child] = (patternAt[back] ?? -1) >= 0 ? back : (shorter[back] ?? 0);
          if ((patternAt[child] ?? -1) >= 0 || (shorter[child] ?? 0) > 0) array.markOutput(child);
          next.push({ state: child, from: group.from, to: group.to });
          if (++work % SLICE === 0) yield;
        }
      }
      level = next;
    }
    return new Automaton(
      array.trim(count),
      fail.slice(0, array.size),
      root,
      classes,
      ascii,
      patternAt.slice(0, array.size),
      shorter.slice(0, array.size),
      patterns,
      !exact,
    );
  }

  /** Bytes of its tables. */
  get bytes(): number {
    return [this.cells, this.fail, this.root, this.classes, this.ascii, this.patternAt, this.shorter].reduce(
      (sum, table) => sum + table.byteLength,
      0,
    );
  }

  /**
   * Finds patterns in ASCII text of any case.
   *
   * @returns the HAS_ hints, or NOT_ASCII at the first unit beyond ASCII (finds are then to be thrown away)
   */
  scanAscii(text: string, finds: Finds): number {
    const { cells, fail, root, ascii } = this;
    const { pairs } = finds;
    const { length } = text;
    let count = finds.length;
    let state = this.gapAround ? (root[GAP] ?? 0) : 0;
    let seen = 0;
    let previous = this.gapAround ? GAP : -1;
    let repeats = 0;
    let doubled = 0;
    let tokenStart = 0;
    let singles = 0;
    for (let index = 0; index <= length; index++) {
      let unitClass = GAP;
      if (index < length) {
        const unit = text.charCodeAt(index);
        if (unit > 127) return NOT_ASCII;
        const entry = ascii[unit] as number;
        seen |= entry;
        unitClass = entry & CLASS_BITS;
      } else if (!this.gapAround) break;
      if (unitClass === previous) {
        if (unitClass === GAP) {
          tokenStart = index + 1;
          continue;
        }
        if (++repeats === DRAWL - 1) seen |= HAS_DRAWL;
      } else {
        if (repeats === 0) doubled = 0;
        else if (++doubled === DRAWL) seen |= HAS_DRAWL;
        repeats = 0;
        previous = unitClass;
        if (unitClass === GAP) {
          if (index - tokenStart === 1) {
            if (++singles === 3) seen |= HAS_SINGLES;
          } else singles = 0;
          tokenStart = index + 1;
        }
      }
      for (;;) {
        if (state === 0) {
          state = root[unitClass] as number;
          break;
        }
        const next = ((cells[2 * state] as number) >> 1) + unitClass;
        if (cells[2 * next + 1] === state) {
          state = next;
          break;
        }
        state = fail[state] as number;
      }
      if (((cells[2 * state] as number) & 1) !== 0) {
        if (2 * count < pairs.length) {
          pairs[2 * count] = state;
          pairs[2 * count + 1] = unitClass === GAP ? index : index + 1;
          count++;
        } else finds.dropped++;
      }
    }
    finds.length = count;
    if ((seen & HAS_UNDERSCORE) !== 0) seen |= HAS_SINGLES;
    return seen & ~CLASS_BITS;
  }

  /** Finds patterns in folded text. */
  scan(text: string, finds: Finds): void {
    const { cells, fail, root, classes } = this;
    const { pairs } = finds;
    const { length } = text;
    let count = finds.length;
    let state = this.gapAround ? (root[GAP] ?? 0) : 0;
    let wasGap = this.gapAround;
    for (let index = 0; index <= length; index++) {
      if (index === length && !this.gapAround) break;
      const unitClass = index < length ? (classes[text.charCodeAt(index)] as number) : GAP;
      if (unitClass === GAP) {
        if (wasGap) continue;
        wasGap = true;
      } else wasGap = false;
      state = follow(cells, fail, root, state, unitClass);
      if (((cells[2 * state] as number) & 1) !== 0) {
        if (2 * count < pairs.length) {
          pairs[2 * count] = state;
          pairs[2 * count + 1] = unitClass === GAP ? index : index + 1;
          count++;
        } else finds.dropped++;
      }
    }
    finds.length = count;
  }

  /** Index of the longest pattern that ends in a state, or -1. */
  patternOf(state: number): number {
    return this.patternAt[state] ?? -1;
  }

  /** The state of the next shorter pattern that ends here too, or 0. */
  shorterOf(state: number): number {
    return this.shorter[state] ?? 0;
  }

  /** Whether a unit of the text parts words here. */
  isGap(unit: number): boolean {
    return this.classes[unit] === GAP;
  }

  /**
   * Where a pattern begins that ends before `end`: walks back over its letters, each gap of it over a run of gaps.
   * A gap at its own ends does not count.
   */
  startOf(text: string, pattern: string, end: number): number {
    const from = pattern.startsWith(' ') ? 1 : 0;
    const to = pattern.endsWith(' ') && pattern.length > 1 ? pattern.length - 1 : pattern.length;
    let at = end;
    for (let index = to - 1; index >= from; index--) {
      at--;
      if (pattern.charCodeAt(index) === 32) while (at > 0 && this.isGap(text.charCodeAt(at - 1))) at--;
    }
    return at;
  }
}

function follow(cells: Int32Array, fail: Int32Array, root: Int32Array, from: number, unitClass: number): number {
  let state = from;
  while (state !== 0) {
    const next = ((cells[2 * state] as number) >> 1) + unitClass;
    if (cells[2 * next + 1] === state) return next;
    state = fail[state] as number;
  }
  return root[unitClass] as number;
}

function* sortedUnique(texts: Iterable<string>): Generator<void, string[]> {
  // Sorting in buckets of the first two units leaves no single long step.
  const buckets = new Map<string, Set<string>>();
  let work = 0;
  for (const text of texts) {
    const key = text.slice(0, 2);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, new Set([text]));
    else bucket.add(text);
    if (++work % SLICE === 0) yield;
  }
  const sorted: string[] = [];
  for (const key of [...buckets.keys()].sort()) {
    for (const text of [...(buckets.get(key) ?? [])].sort()) sorted.push(text);
    yield;
  }
  return sorted;
}

interface Classes {
  readonly classes: Uint16Array;
  /** Classes of ASCII units of either case, with hints. */
  readonly ascii: Int32Array;
  readonly count: number;
}

/** Numbers the units that patterns hold, the commonest first, which keeps the table dense. */
function* classify(patterns: readonly string[], exact: boolean): Generator<void, Classes> {
  const counts = new Int32Array(0x10000);
  for (const [number, pattern] of patterns.entries()) {
    for (let index = 0; index < pattern.length; index++) {
      const unit = pattern.charCodeAt(index);
      counts[unit] = (counts[unit] ?? 0) + 1;
    }
    if (number % SLICE === 0) yield;
  }
  counts[32] = 0;
  const used = Array.from(counts.keys()).filter((unit) => (counts[unit] ?? 0) > 0);
  const classes = new Uint16Array(0x10000);
  const kinds = unitKinds();
  if (exact) for (const unit of [9, 10, 11, 12, 13, 32, 0xa0, 0x2028, 0x2029, 0x3000]) classes[unit] = GAP;
  else for (let unit = 0; unit < 0x10000; unit++) classes[unit] = kinds[unit] === GAP_KIND ? GAP : OTHER;
  let count = 2;
  for (const unit of used.sort((one, other) => (counts[other] ?? 0) - (counts[one] ?? 0))) classes[unit] = count++;
  const ascii = new Int32Array(128);
  for (let unit = 0; unit < 128; unit++) {
    const lower = unit >= 65 && unit <= 90 ? unit + 32 : unit;
    ascii[unit] = (classes[lower] ?? 0) | (/[0-9@$!|(+#]/.test(String.fromCharCode(unit)) ? HAS_LEET : 0);
  }
  ascii[95] = (ascii[95] ?? 0) | HAS_UNDERSCORE;
  ascii[73] = (ascii[73] ?? 0) | HAS_TALL;
  yield;
  return { classes, ascii, count };
}

interface Group {
  readonly unitClass: number;
  readonly from: number;
  readonly to: number;
}

function childrenOf(patterns: readonly string[], classes: Uint16Array, depth: number, from: number, to: number) {
  const groups: Group[] = [];
  let start = from;
  while (start < to && (patterns[start]?.length ?? 0) <= depth) start++;
  while (start < to) {
    const unit = patterns[start]?.charCodeAt(depth) ?? 0;
    let end = start + 1;
    while (end < to && patterns[end]?.charCodeAt(depth) === unit) end++;
    groups.push({ unitClass: classes[unit] ?? 0, from: start, to: end });
    start = end;
  }
  return groups.length > 1 ? groups.sort((one, other) => one.unitClass - other.unitClass) : groups;
}

function resized(table: Int32Array<ArrayBuffer>, size: number, filler: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size).fill(filler, table.length);
  larger.set(table);
  return larger;
}
