import { compile } from './compile.js';
import { PHRASE_LIMITS, PhraseRule } from './phrase-rule.js';
import type { PhraseIndex } from './phrase-index.js';
import { CAPITAL_LOOKALIKES, LETTER_BLOCKS, LOOSE_LOOKALIKES, STRICT_LOOKALIKES } from './confusables.data.js';
import { fold, partWords } from './folding.js';
import { skeleton } from './views.js';

/** Numbers from 0 to 1, the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ranges that are hard on folding and matching, whole planes and lone surrogates among them. */
const RANGES: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x7e],
  [0x61, 0x66],
  [0x30, 0x39],
  [0x00, 0xff],
  [0x300, 0x36f],
  [0x370, 0x52f],
  [0x590, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xe7f],
  [0x1100, 0x11ff],
  [0x2000, 0x206f],
  [0x3040, 0x30ff],
  [0x4e00, 0x4e20],
  [0xac00, 0xac30],
  [0xd800, 0xdfff],
  [0xfb00, 0xfdff],
  [0xff00, 0xffef],
  [0x1d400, 0x1d7ff],
  [0x1f100, 0x1f6ff],
  [0xe0000, 0xe01ef],
  [0, 0x10ffff],
];

function randomText(random: () => number, length: number): string {
  let text = '';
  const one = RANGES[Math.floor(random() * RANGES.length)] ?? [0, 0x7f];
  while (text.length < length) {
    const [from, to] = random() < 0.5 ? one : (RANGES[Math.floor(random() * random() * RANGES.length)] ?? [0, 0x7f]);
    const point = from + Math.floor(random() * (to - from + 1));
    text += random() < 0.15 ? ' ' : random() < 0.05 ? 'free' : String.fromCodePoint(point);
  }
  return text;
}

const mixed = compile(
  [
    { id: 'free', pattern: 'free' },
    { id: 'anywhere', pattern: '*ab*', allow: ['cab', '*abba*'] },
    { id: 'phrase', pattern: 'a b' },
    { id: 'sign', pattern: '$a' },
    { id: 'han', pattern: '一丁' },
    { id: 'thai', pattern: 'กา' },
    { id: 'regex', pattern: '[abc]{2,}\\d?', kind: 'regex' },
    { id: 'marks', pattern: 'खा' },
    { id: 'alike', pattern: 'decade', fuzzy: true, phonetic: true },
  ].map((rule) => PhraseRule.parse(rule)),
);

describe('whatever is written', () => {
  it('100,000 lines crash nothing, and every hit lies within its line', () => {
    const random = seeded(11);
    let hits = 0;
    for (let line = 0; line < 100_000; line++) {
      const text = randomText(random, 1 + Math.floor(random() * 40));
      for (const { start, end, confidence } of mixed.match(text, { speech: line % 8 === 0 })) {
        hits++;
        if (!(start >= 0 && end > start && end <= text.length && confidence > 0 && confidence <= 1))
          throw new Error(`bad hit ${start} ${end} ${confidence} in ${JSON.stringify(text)}`);
      }
    }
    expect(hits).toBeGreaterThan(1_000);
  }, 60_000);

  it('a span holds the folded word, whatever surrounds it', () => {
    const random = seeded(12);
    const index = compile([PhraseRule.parse({ id: 'free', pattern: '*free*' })]);
    for (let line = 0; line < 5_000; line++) {
      const text = `${randomText(random, 10)} free ${randomText(random, 10)}`;
      const hits = index.match(text).filter(({ view }) => view === 'plain');
      expect(hits.length).toBeGreaterThan(0);
      for (const { start, end } of hits) expect(fold(text.slice(start, end)).text).toContain('free');
    }
  }, 30_000);

  it('folding maps every unit to a span of the original, in order and without a gap in a word', () => {
    const random = seeded(13);
    for (let line = 0; line < 10_000; line++) {
      const text = randomText(random, 30);
      const { text: folded, starts, ends } = partWords(fold(text));
      expect([starts.length, ends.length]).toEqual([folded.length, folded.length]);
      for (let unit = 0; unit < folded.length; unit++) {
        const [start, end] = [starts[unit] ?? -1, ends[unit] ?? -1];
        if (start < (starts[unit - 1] ?? 0) || end < start || end > text.length)
          throw new Error(`unit ${unit} of ${JSON.stringify(text)} maps to ${start}..${end}`);
      }
    }
  }, 30_000);

  it('folding twice changes nothing more', () => {
    const random = seeded(14);
    let differing = 0;
    for (let line = 0; line < 5_000; line++) {
      const once = fold(randomText(random, 20)).text;
      if (fold(once).text !== once) differing++;
    }
    expect(differing / 5_000).toBeLessThan(0.05);
  }, 30_000);
});

/** Processor time of this process, ms: what others do on the machine hardly adds to it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Time for a text four times as long over that for the text, the best of several rounds of each. */
function growth(index: PhraseIndex, text: string, rounds = 3): number {
  const longer = text.repeat(4);
  let [short, long] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    let startedAt = cpuMs();
    index.match(text);
    short = Math.min(short, cpuMs() - startedAt);
    startedAt = cpuMs();
    index.match(longer);
    long = Math.min(long, cpuMs() - startedAt);
  }
  return long / short;
}

describe('100 kB of ill will', () => {
  const many = (
    count: number,
    pattern: (index: number) => string,
    kind: 'literal' | 'regex' = 'literal',
  ): PhraseIndex =>
    compile(
      Array.from({ length: count }, (_, index) => PhraseRule.parse({ id: `r${index}`, pattern: pattern(index), kind })),
    );
  const size = 25_000;
  const fill = (piece: string): string => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);

  it.each([
    ['nested wildcards over one letter', many(150, (index) => `*${'a'.repeat(index + 2)}*`), fill('a')],
    ['prefixes that never end', many(150, (index) => `${'a'.repeat(index + 2)}b`), fill('a')],
    ['phrases of single letters', many(50, (index) => `a${' a'.repeat(index + 1)}`), fill('a ')],
    ['one pattern, many rules', many(2_000, () => 'a'), fill('a. ')],
    ['spaced letters and leet', many(50, (index) => `free${index}`), fill('f r 3 3 ')],
    ['drawls', many(50, (index) => `freee${'e'.repeat(index)}`), fill('fffrrreee ')],
    ['piles of marks', many(5, (index) => `fr${'e'.repeat(index + 1)}`), fill('f\u0301\u0323\u0316')],
    ['marks on a letter that keeps them', many(5, () => 'कख'), fill('क\u0945\u094d\u093c')],
    ['ligatures that grow', many(5, () => 'الله'), fill('ﷺ')],
    ['spaces without end', many(5, () => 'free money'), fill(' ')],
    ['look-alikes', many(50, (index) => `paypal${index}`), fill('раураl ')],
    ['nested repeats', many(50, (index) => `(a+)+b{${index + 1}}c`, 'regex'), fill('a')],
    ['overlapping choices', many(50, (index) => `(a|aa|aab?)+x{${index + 1}}`, 'regex'), fill('aab')],
    ['a search that starts everywhere', many(20, (index) => `a.*z{${index + 1}}|a`, 'regex'), fill('a')],
    ['word borders', many(20, (index) => `\\b(\\w+\\s*){3}\\bx{${index + 1}}`, 'regex'), fill('a b ')],
    ['wide counts', many(20, (index) => `[a-z]{1,90}[0-9]{${index + 1}}`, 'regex'), fill('abc')],
  ])(
    '%s: time grows with the length alone',
    (_name, index, text) => {
      // Linear is 4, quadratic 16; a second look tells a busy machine from a slow rule.
      const grown = growth(index, text);
      expect(grown < 9 ? grown : Math.min(growth(index, text), growth(index, text))).toBeLessThan(9);
    },
    60_000,
  );

  it('hits stay within their bound', () => {
    const hits = many(2_000, () => 'a').match(fill('a. '));
    expect(hits.length).toBe(PHRASE_LIMITS.hits);
  });
});

describe('the table of look-alikes', () => {
  const likeOf = (character: string): string | undefined => skeleton(fold(character), character)?.view.text;

  it('reads capitals as what they look like themselves', () => {
    for (const [letter, likes] of Object.entries(CAPITAL_LOOKALIKES))
      for (const like of likes) expect([like, likeOf(like)]).toEqual([like, letter]);
  });

  it('holds only letters that folding keeps, each for one letter alone', () => {
    const seen = new Map<string, string>();
    const faults: string[] = [];
    for (const table of [STRICT_LOOKALIKES, LOOSE_LOOKALIKES]) {
      for (const [letter, likes] of Object.entries(table)) {
        for (const like of likes) {
          const folded = fold(like).text;
          const known = seen.get(folded);
          if (known !== undefined) faults.push(`${like} stands for ${known} and ${letter}`);
          if (/^[\0-\x7f]*$/.test(folded)) faults.push(`${like} folds to "${folded}" by itself`);
          if (known === undefined && likeOf(like) !== letter) faults.push(`${like} is not read as ${letter}`);
          seen.set(folded, letter);
        }
      }
    }
    expect(faults).toEqual([]);
    expect(LETTER_BLOCKS.every(({ first, letters }) => likeOf(String.fromCodePoint(first)) === letters[0])).toBe(true);
  });
});
