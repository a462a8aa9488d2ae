import { Finds, HAS_DRAWL, HAS_LEET, HAS_SINGLES, HAS_TALL, NOT_ASCII } from './automaton.js';
import { fold, partWords } from './folding.js';
import { type Cut, HitList, UNCUT } from './hit-list.js';
import { type MappedText, unmapped } from './mapped-text.js';
import { type PhraseHit, PHRASE_LIMITS, type PhraseRule } from './phrase-rule.js';
import { JOINED_STAGE, LATIN_STAGE, PLAIN_STAGE, type PhraseSet, SQUEEZE_STAGE } from './phrase-set.js';
import type { RegexGroup } from './regex-group.js';
import type { SoundAlikes } from './sound-alike.js';
import { collectFinds, type Reading } from './finds.js';
import { joined, leet, mayBeLeet, mayBeSpaced, mayBeTall, PARTINGS, skeleton, squeezed, tallLetters } from './views.js';
import { type Genuine, JOINED_MARK, LEET_MARK, SKELETON_MARK, SQUEEZE_MARK } from './views.js';

const NOTHING: readonly PhraseHit[] = Object.freeze([]);
const NOTHING_GENUINE: Genuine = new Map();
const PATTERN_FINDS = PHRASE_LIMITS.hits * 4;

/** The parts of an index, as {@link compile} makes them. */
export interface IndexParts {
  readonly rules: readonly PhraseRule[];
  /** For each rule, numbers of the phrases it allows. */
  readonly allowed: readonly (ReadonlySet<number> | null)[];
  readonly main: PhraseSet;
  readonly evasive: PhraseSet | null;
  readonly exact: PhraseSet | null;
  readonly regexes: RegexGroup | null;
  readonly soundAlikes: SoundAlikes;
}

/** What an index left out so far. */
export interface PhraseCounters {
  /** Texts longer than 1,048,576 units, whose rest was not read. */
  readonly textsCut: number;
  /** Finds beyond the limit of one window. */
  readonly hitsDropped: number;
}

/** Compiled rules: finds in a text whatever they ask for. Immutable but for its counters; made by {@link compile}. */
export class PhraseIndex {
  private readonly finds = new Finds(PATTERN_FINDS);
  private textsCut = 0;
  private hitsDropped = 0;

  /** @internal */
  constructor(private readonly parts: IndexParts) {}

  /** Rules in the index. */
  get size(): number {
    return this.parts.rules.length;
  }

  get counters(): PhraseCounters {
    return { textsCut: this.textsCut, hitsDropped: this.hitsDropped };
  }

  /**
   * Finds the rules that a text meets, in time linear in the text. Beyond 4,096 units it is read in windows that
   * overlap by 512, so a hit longer than that may be missed.
   *
   * @param options.speech the text was spoken: evasive spellings are not looked for, likeness is (for rules that ask)
   * @returns hits by place; for one rule and span the most confident one
   */
  match(text: string, options: { readonly speech?: boolean } = {}): readonly PhraseHit[] {
    const speech = options.speech === true;
    if (text.length <= PHRASE_LIMITS.window) return this.matchWindow(text, speech, UNCUT);
    let whole = text;
    if (text.length > PHRASE_LIMITS.text) {
      this.textsCut++;
      whole = text.slice(0, PHRASE_LIMITS.text);
    }
    const list = new HitList();
    for (let from = 0; ; from = windowEdge(whole, from + PHRASE_LIMITS.window - PHRASE_LIMITS.windowOverlap)) {
      const to = windowEdge(whole, from + PHRASE_LIMITS.window);
      const cut = { start: from > 0 ? 0 : -1, end: to < whole.length ? to - from : -1 };
      for (const hit of this.matchWindow(whole.slice(from, to), speech, cut))
        list.add({ ...hit, start: hit.start + from, end: hit.end + from });
      if (to >= whole.length) {
        this.hitsDropped += list.dropped;
        return list.sorted();
      }
    }
  }

  private matchWindow(text: string, speech: boolean, cut: Cut): readonly PhraseHit[] {
    const { main, exact, regexes, soundAlikes } = this.parts;
    const { finds } = this;
    finds.length = 0;
    const seen = main.automaton.scanAscii(text, finds);
    if (seen === NOT_ASCII) return this.matchUnicode(text, speech, cut);
    const evasive = !speech && seen !== 0;
    const likeness = speech && !soundAlikes.isEmpty;
    if (finds.length === 0 && !evasive && !likeness && exact === null && regexes === null) return NOTHING;
    const list = new HitList(cut);
    const reading: Reading = { text, map: null, stage: PLAIN_STAGE, mark: 0, genuine: NOTHING_GENUINE };
    this.collect(list, main, reading, text);
    if (exact !== null) {
      finds.length = 0;
      exact.automaton.scanAscii(text, finds);
      this.collect(list, exact, reading, text);
    }
    if (regexes !== null) this.matchRegexes(list, text, null);
    if (likeness) this.matchLikeness(list, unmapped(text.toLowerCase()));
    const leetLikely = (seen & HAS_LEET) !== 0 && mayBeLeet(text);
    const tallLikely = (seen & HAS_TALL) !== 0 && mayBeTall(text);
    if (evasive && (leetLikely || tallLikely || (seen & (HAS_SINGLES | HAS_DRAWL)) !== 0))
      this.matchEvasive(list, unmapped(text.toLowerCase()), text, NOTHING_GENUINE);
    return this.finish(list);
  }

  private matchUnicode(text: string, speech: boolean, cut: Cut): readonly PhraseHit[] {
    const { main, exact, regexes } = this.parts;
    const { finds } = this;
    const list = new HitList(cut);
    const folded = fold(text);
    const parted = partWords(folded);
    finds.length = 0;
    main.automaton.scan(parted.text, finds);
    const reading = { stage: PLAIN_STAGE, mark: 0, genuine: NOTHING_GENUINE };
    this.collect(list, main, { ...reading, text: parted.text, map: parted }, text);
    if (exact !== null) {
      finds.length = 0;
      exact.automaton.scan(folded.text, finds);
      this.collect(list, exact, { ...reading, text: folded.text, map: folded }, text);
    }
    if (regexes !== null) {
      this.matchRegexes(list, text, null);
      this.matchRegexes(list, folded.text, folded);
    }
    if (speech) this.matchLikeness(list, folded);
    else {
      const disguised = skeleton(folded, text);
      const view = partWords(disguised?.view ?? folded);
      if (disguised !== null) this.matchView(list, view, SKELETON_MARK, LATIN_STAGE, text, disguised.genuine);
      this.matchEvasive(list, view, text, disguised?.genuine ?? NOTHING_GENUINE);
    }
    return this.finish(list);
  }

  /** Views 5 to 7, each over what the one before made of the text. */
  private matchEvasive(list: HitList, start: MappedText, original: string, genuine: Genuine): void {
    const latin = (view: MappedText, stage: number): MappedText => {
      if (!mayBeLeet(view.text)) return view;
      const asI = leet(view, 'i');
      if (asI !== null) this.matchView(list, asI, LEET_MARK, stage, original, genuine);
      const asL = /[1!|]/.test(view.text) ? leet(view, 'l') : null;
      if (asL !== null) this.matchView(list, asL, LEET_MARK, stage, original, genuine);
      return asI ?? view;
    };
    const tall = tallLetters(start, original);
    if (tall !== null) this.matchView(list, tall, SKELETON_MARK, LATIN_STAGE, original, genuine);
    let view = latin(start, LATIN_STAGE);
    if (mayBeSpaced(start.text)) {
      // Joined before it is read as leet, for signs may part the letters: `f|r|e|e`.
      for (const parting of PARTINGS) {
        const words = joined(start, parting);
        if (words === null) continue;
        this.matchView(list, words, JOINED_MARK, JOINED_STAGE, original, genuine);
        view = latin(words, JOINED_STAGE);
      }
    }
    const short = squeezed(view);
    if (short !== null) this.matchView(list, short, SQUEEZE_MARK, SQUEEZE_STAGE, original, genuine);
  }

  private matchView(
    list: HitList,
    map: MappedText,
    mark: number,
    stage: number,
    original: string,
    genuine: Genuine,
  ): void {
    for (const set of [this.parts.main, this.parts.evasive]) {
      if (set === null) continue;
      this.finds.length = 0;
      set.automaton.scan(map.text, this.finds);
      this.collect(list, set, { text: map.text, map, stage, mark, genuine }, original);
    }
  }

  private collect(list: HitList, set: PhraseSet, reading: Reading, original: string): void {
    if (this.finds.length > 0) collectFinds(list, this.parts.rules, set, this.finds, reading, original);
  }

  private matchRegexes(list: HitList, text: string, map: MappedText | null): void {
    for (const { owner, start, end } of this.parts.regexes?.match(text) ?? []) {
      const from = map === null ? start : (map.starts[start] ?? 0);
      const to = map === null ? end : (map.ends[end - 1] ?? 0);
      list.addOf(this.parts.rules, owner, from, to, 'plain', 1);
    }
  }

  private matchLikeness(list: HitList, folded: MappedText): void {
    for (const { owner, start, end, view, confidence } of this.parts.soundAlikes.match(folded)) {
      const [from, to] = [folded.starts[start] ?? 0, folded.ends[end - 1] ?? 0];
      list.addOf(this.parts.rules, owner, from, to, view, confidence);
    }
  }

  private finish(list: HitList): readonly PhraseHit[] {
    this.hitsDropped += list.dropped + this.finds.dropped;
    this.finds.dropped = 0;
    return list.isEmpty ? NOTHING : list.sorted(this.parts.allowed);
  }
}

/** A place to cut that does not halve a surrogate pair. */
function windowEdge(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
