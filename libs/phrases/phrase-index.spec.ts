import { AppError } from '#libs/errors/app-error.js';
import { checkPhraseRule, compile, compileInSlices } from './compile.js';
import { PHRASE_LIMITS, PhraseRule } from './phrase-rule.js';

const rule = (pattern: string, more: Partial<PhraseRule> = {}): PhraseRule =>
  PhraseRule.parse({ id: pattern.slice(0, 50), pattern, ...more });

/** What the rules find, as they stand in the text. */
const found = (patterns: readonly (string | PhraseRule)[], text: string): string[] =>
  compile(patterns.map((each) => (typeof each === 'string' ? rule(each) : each)))
    .match(text)
    .map(({ start, end }) => text.slice(start, end));

describe('wildcards', () => {
  it.each([
    ['cat', 'cat', ['cat']],
    ['cat', 'Cat! (CAT) "cat", cat.', ['Cat', 'CAT', 'cat', 'cat']],
    ['cat', 'concatenate cats scat cat5 5cat _cat', []],
    ['cat*', 'cats scat cat', ['cat', 'cat']],
    ['*cat', 'cats scat cat', ['cat', 'cat']],
    ['*cat*', 'cats scat concatenate', ['cat', 'cat', 'cat']],
    ['**cat**', 'scat', ['cat']],
    [
      'free money',
      'FREE   money, free-money; free\n...\nMoney freemoney',
      ['FREE   money', 'free-money', 'free\n...\nMoney'],
    ],
    ['free mon*', 'free monday', ['free mon']],
    ['*ee money', 'free money', ['ee money']],
    ['e-mail', 'e-mail, e mail, email', ['e-mail', 'e mail']],
    ["don't", 'don’t', ['don’t']],
    ['c++', 'c++ C++! abc++ c+', ['c++', 'C++']],
    ['$$$', 'cash$$$now', ['$$$']],
    ['🔥🔥', 'so hot🔥🔥🔥', ['🔥🔥']],
    ['5\\*', 'a 5* hotel', ['5*']],
    ['@admin', 'ask @Admin', ['@Admin']],
    ['straße', 'STRASSE, Straße, straßen', ['STRASSE', 'Straße']],
    ['é', 'E e\u0301 ee', ['E', 'e\u0301']],
  ])('%s in %s', (pattern, text, expected) => {
    expect(found([pattern], text)).toEqual(expected);
  });

  it.each(['fr*e', 'a * b', '***', ' ', '\u200b', 'x'.repeat(201)])('refuses %j with a sentence', (pattern) => {
    expect(() => compile([rule(pattern)])).toThrow(AppError);
    expect(() => checkPhraseRule(rule(pattern))).toThrow(/pattern/i);
  });

  it('reports rule, version, view and confidence', () => {
    const index = compile([rule('cat', { id: 'r1', version: 7 })]);
    expect(index.match('a cat')).toEqual([{ rule: 'r1', version: 7, start: 2, end: 5, view: 'plain', confidence: 1 }]);
  });

  it('reports each rule that shares a pattern, and nested patterns', () => {
    const index = compile([rule('cat', { id: 'a' }), rule('CAT', { id: 'b' }), rule('cat food'), rule('*at*')]);
    expect(index.match('cat food').map((hit) => hit.rule)).toEqual(['a', 'b', 'cat food', '*at*']);
  });
});

describe('allowed phrases', () => {
  it('take away a hit wholly inside them, of their own rule only', () => {
    const rules = [
      rule('*ass*', { id: 'mine', allow: ['class*', 'pass the salt', '*bass'] }),
      rule('*ass*', { id: 'other' }),
    ];
    const hits = compile(rules).match('classic bass, pass the salt, sass');
    expect(hits.filter((hit) => hit.rule === 'mine').map((hit) => hit.start)).toEqual([30]);
    expect(hits.filter((hit) => hit.rule === 'other')).toHaveLength(4);
  });

  it('work in evasive views and on regular expressions', () => {
    const rules = [rule('*ass*', { allow: ['classic'] }), rule('s+ic', { kind: 'regex', allow: ['classic'] })];
    expect(compile(rules).match('a cl@ssic, a classic')).toEqual([]);
    expect(compile(rules).match('a gl@ss, musssic')).toHaveLength(2);
  });
});

describe('regular expressions', () => {
  it('are matched without regard to case, on the text as written and as folded', () => {
    const regex = rule('fr[e3]{2} \\d+', { kind: 'regex' });
    expect(found([regex], 'FREE 100 fr33 7')).toEqual(['FREE 100', 'fr33 7']);
    expect(found([regex], 'ｆｒｅｅ １２')).toEqual(['ｆｒｅｅ １２']);
    expect(found([rule('(?-i)A+', { kind: 'regex' })], 'aaAAa')).toEqual(['AA']);
    expect(found([rule('\\bcat\\b', { kind: 'regex' }), rule('d.g', { kind: 'regex' })], 'cat dog')).toEqual([
      'cat',
      'dog',
    ]);
  });

  it.each([
    ['(?=x)y', /RE2/],
    ['(a)\\1', /RE2/],
    ['(', /RE2/],
    ['a*', /empty/],
    ['x'.repeat(261), /longer than 260/],
    ['((a{30}){30}b){20}c', /./],
  ])('refuse %s with the reason', (pattern, reason) => {
    expect(() => compile([rule(pattern, { kind: 'regex' })])).toThrow(reason);
    expect(() => compile([rule(pattern, { kind: 'regex' })])).toThrow(AppError);
  });

  it('are limited in number', () => {
    const rules = Array.from({ length: 201 }, (_, index) => rule(`x${index}y`, { kind: 'regex' }));
    expect(() => compile(rules)).toThrow(/only 200/);
    expect(compile(rules.slice(1)).match('x200y')).toHaveLength(1);
  });

  it('leave the other rules in force when the caller collects refusals', () => {
    const refused: string[] = [];
    const rules = [rule('(', { kind: 'regex' }), rule('fr*e'), rule('cat')];
    const index = compile(rules, { onRefused: ({ id }, error) => refused.push(`${id} ${error.kind}`) });
    expect(refused).toEqual(['( user', 'fr*e user']);
    expect(index.match('cat')).toHaveLength(1);
  });
});

describe('scripts', () => {
  it.each([
    ['Chinese without spaces', '免费', '这是免费的', ['免费']],
    ['Japanese', 'ばか', 'あのばかが', ['ばか']],
    ['halfwidth kana', 'バカ', 'アイツﾊﾞｶだ', ['ﾊﾞｶ']],
    ['Korean with particles', '공짜', '공짜로 드려요', ['공짜']],
    ['Korean in single letters', '공짜', '공짜로'.normalize('NFD'), ['공짜'.normalize('NFD')]],
    ['no half of a syllable', '가', '각', []],
    ['Thai without spaces', 'ฟรี', 'ของฟรีครับ', ['ฟรี']],
    ['Latin in Chinese', 'line', '加LINE吧', ['LINE']],
    ['mixed', 'line群', '我的LINE群', ['LINE群']],
    ['a lone Han letter only by itself', '死', '死亡 死', ['死']],
    ['Hindi with vowel signs', 'मुफ्त', 'यह मुफ्त है', ['मुफ्त']],
    ['another Hindi word', 'मुफ्त', 'मुफ्ती', []],
    ['Arabic', 'مجانا', 'هذا مجانا لك', ['مجانا']],
    ['Arabic presentation forms', 'مجانا', 'ﻣﺠﺎﻧﺎ', ['ﻣﺠﺎﻧﺎ']],
    ['Hebrew points count', 'שלום', 'שָׁלוֹם', []],
    ['Turkish capital', 'istanbul', 'İSTANBUL', ['İSTANBUL']],
    ['ligature', 'office', 'the oﬃce', ['oﬃce']],
    ['part of a ligature', '*fi*', 'oﬃce', ['ﬃ']],
    ['final sigma', 'λογος', 'ΛΟΓΟΣ', ['ΛΟΓΟΣ']],
    ['Cyrillic', 'лёд', 'ЛЕД и лёд', ['ЛЕД', 'лёд']],
    ['Latin letters in a Cyrillic word', 'хуйня', 'xyйня', ['xyйня']],
    ['letters beyond the basic plane are letters', 'cat', '𐐀cat cat', ['cat']],
    ['emoji part words', 'cat', '🔥cat🔥', ['cat']],
    ['music signs part words', 'cat', '𝄞cat', ['cat']],
  ])('%s', (_name, pattern, text, expected) => {
    expect(found([pattern], text)).toEqual(expected);
  });
});

describe('speech', () => {
  const index = compile([
    rule('overdose', { fuzzy: true }),
    rule('knife', { fuzzy: true, phonetic: true }),
    rule('kill yourself', { fuzzy: true, phonetic: true }),
    rule('gun', { fuzzy: true }),
  ]);
  const views = (text: string) => index.match(text, { speech: true }).map(({ rule: id, view }) => `${id} ${view}`);

  it('finds words spelt a little differently, the less like the less sure', () => {
    expect(views('an overdoes now')).toEqual(['overdose fuzzy']);
    expect(views('an overdos now')).toEqual(['overdose fuzzy']);
    expect(views('the kinfe')).toEqual(['knife fuzzy']);
    expect(views('kil yourselv')).toEqual(['kill yourself fuzzy']);
    const [near] = index.match('overdos', { speech: true });
    const [far] = index.match('ovrdos', { speech: true });
    expect(near?.confidence).toBeLessThan(1);
    expect(far?.confidence).toBeLessThan(near?.confidence ?? 0);
  });

  it('finds words that sound the same', () => {
    expect(views('a nife')).toEqual(expect.arrayContaining([expect.stringMatching(/^knife/)]));
    expect(views('the nyphe')).toEqual(['knife phonetic']);
  });

  it('keeps short words exact, and chat free of likeness', () => {
    expect(views('gum gin fun')).toEqual([]);
    expect(index.match('an overdos now')).toEqual([]);
    expect(views('gun')).toEqual(['gun plain']);
  });
});

describe('long texts', () => {
  const index = compile([rule('needle'), rule('free money'), rule('x.*y', { kind: 'regex' })]);

  it('are read to their end, each hit once, words at the cuts whole', () => {
    const at = [0, 3_580, 3_584, 4_090, 4_094, 7_165, 9_000];
    for (const place of at) {
      const text = `${'.'.repeat(place)}needle${'.'.repeat(9_100 - place)}free money`;
      expect(index.match(text).map(({ start }) => start)).toEqual([place, place + 6 + 9_100 - place]);
    }
    const inside = `${'a'.repeat(4_096)}needle ${'a'.repeat(3_584)} needle${'a'.repeat(5_000)}`;
    expect(index.match(inside)).toEqual([]);
  });

  it('do not halve surrogate pairs, and are cut at a limit that is counted', () => {
    expect(index.match(`${'😀'.repeat(9_999)}needle`)).toMatchObject([{ start: 19_998 }]);
    expect(index.match(`a${'😀'.repeat(9_999)}needle`)).toMatchObject([{ start: 19_999 }]);
    expect(index.match(`${'.'.repeat(PHRASE_LIMITS.text)}needle`)).toEqual([]);
    expect(index.counters.textsCut).toBe(1);
  });

  it('give a bounded number of hits and count the rest', () => {
    expect(index.match('needle '.repeat(500))).toHaveLength(PHRASE_LIMITS.hits);
    expect(index.counters.hitsDropped).toBeGreaterThan(0);
  });
});

describe('swapping under load', () => {
  it('goes on matching with the old index while the new one is built in slices', async () => {
    const words = Array.from(
      { length: 20_000 },
      (_, index) => `w${index.toString(36)}q${(index * 7_919).toString(36)}`,
    );
    const old = words.slice(0, 100).map((word) => rule(word));
    let current = compile(old);
    let matched = 0;
    let building = true;
    const rules = words.map((word) => rule(word));
    const swap = compileInSlices(rules).then((index) => {
      building = false;
      current = index;
    });
    while (building) {
      expect(current.match(`say ${words[matched % 100]} now`)).toHaveLength(1);
      matched++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await swap;
    expect(matched).toBeGreaterThan(10);
    expect(current.size).toBe(20_000);
    for (let index = 0; index < 20_000; index += 97)
      expect(current.match(`say ${words[index]}!`)).toMatchObject([{ rule: words[index] }]);
  });

  it('gives up when told to', async () => {
    const rules = Array.from({ length: 5_000 }, (_, index) => rule(`word${index}`));
    await expect(compileInSlices(rules, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
