import { compile } from './compile.js';
import { PhraseRule } from './phrase-rule.js';

const rules = (patterns: readonly string[]) => patterns.map((pattern) => PhraseRule.parse({ id: pattern, pattern }));

/** Ways to write `free` that a reader still reads, each with the view that sees through it. */
const EVASIONS: readonly (readonly [name: string, text: string, view: string])[] = [
  ['mixed case', 'get FrEe stuff', 'plain'],
  ['fullwidth', 'get ｆｒｅｅ stuff', 'plain'],
  ['mathematical bold', 'get 𝐟𝐫𝐞𝐞 stuff', 'plain'],
  ['mathematical fraktur', 'get 𝖋𝖗𝖊𝖊 stuff', 'plain'],
  ['circled letters', 'get ⓕⓡⓔⓔ stuff', 'plain'],
  ['superscript letters', 'get ᶠʳᵉᵉ stuff', 'plain'],
  ['accents', 'get frèé stuff', 'plain'],
  ['combining marks', 'get f\u0336r\u0336e\u0336e\u0336 stuff', 'plain'],
  ['piles of marks', `get f${'\u0301\u0323'.repeat(40)}ree stuff`, 'plain'],
  ['zero-width spaces', 'get f\u200br\u200be\u200be stuff', 'plain'],
  ['soft hyphens', 'get f\u00adr\u00adee stuff', 'plain'],
  ['bidirectional marks', 'get \u202ef\u200eree\u202c stuff', 'plain'],
  ['variation selectors', 'get f\ufe0fr\ufe0fee stuff', 'plain'],
  ['tag characters', 'get fr\u{e0065}ee stuff', 'plain'],
  ['Cyrillic letters', 'get frее stuff', 'skeleton'],
  ['Greek letters', 'get fɾεε stuff', 'skeleton'],
  ['letters in play', 'get ƒяεε stuff', 'skeleton'],
  ['small capitals', 'get ꜰʀᴇᴇ stuff', 'skeleton'],
  ['squared letters', 'get 🅵🆁🅴🅴 stuff', 'skeleton'],
  ['flags', 'get 🇫🇷🇪🇪 stuff', 'skeleton'],
  ['Armenian and Cherokee letters', 'get fꭱҽҽ stuff'.replace('ꭱ', 'ꮢ'), 'skeleton'],
  ['Greek capitals among Latin ones', 'get FREΕ stuff', 'skeleton'],
  ['money', 'get ₣ⱤɆɆ stuff', 'skeleton'],
  ['letters in parentheses', 'get ⒡⒭⒠⒠ stuff', 'joined'],
  ['digits', 'get fr33 stuff', 'leet'],
  ['digits, upper case, at the end', 'get FR33!', 'leet'],
  ['spaces', 'get f r e e stuff', 'joined'],
  ['dots', 'get f.r.e.e stuff', 'joined'],
  ['hyphens and bars', 'get f - r - e - e stuff', 'joined'],
  ['underscores', 'get f_r_e_e stuff', 'joined'],
  ['stars', 'f*r*e*e', 'joined'],
  ['bars', 'get f|r|e|e stuff', 'joined'],
  ['uneven spaces', 'get f r  e e stuff', 'joined'],
  ['repeated letters', 'get freeeeee stuff', 'squeeze'],
  ['all letters repeated', 'get ffffrrrreeee stuff', 'squeeze'],
  ['all letters doubled', 'get ffrreeee stuff', 'squeeze'],
  ['emoji', 'get f🔥r🔥e🔥e stuff', 'joined'],
  ['ideographic spaces', 'get f　r　e　e stuff', 'joined'],
  ['halves of surrogate pairs', 'get free\ud83d stuff', 'plain'],
  ['spaced digits', 'get f r 3 3 stuff', 'leet'],
  ['spaced Cyrillic', 'get f r е е stuff', 'joined'],
  ['drawn-out digits', 'get fr333333 stuff', 'squeeze'],
];

const INNOCENT: readonly string[] = [
  'Scunthorpe United won again',
  'a classic game of chess',
  'the analysis of the passage',
  'I assume you passed the class',
  'a cocktail in a hancock peacock shuttlecock',
  'bass guitar and brass band, harass, embarrass',
  'Essex, Sussex and Middlesex',
  'shitake is misspelt shiitake',
  'the Penistone line in Yorkshire',
  'hello shell seashells, Michelle',
  'cumulative documents, cucumber, circumstance',
  'title and entitled, constitution',
  'raccoon, cocoon, tycoon',
  'therapist, grapes, drape, scraper',
  'dictionary, predict, Benedict',
  'good goods, freedom carefree freestyle, freely',
  'I paid 455 for an A55, room 5h, level 4',
  'a b c d e f g, x y z, q w e r t y',
  'рот и нос, сор из избы, он сеет',
  'Το ροζ αυτό, έτος και πόνος',
  'soooo gooey, hmmm, aaaaah, zzzz, www.example.org',
  'night shift, swift, shifty, snigger at the snippet',
  'mass, grass, glass, pass, compass, assassin, assess',
  'the cat; scat and catalogue: concatenate',
  'spice, suspicious, conspicuous, hospice',
];
const BAD = ['ass', 'cunt', 'anal', 'cock', 'sex', 'shit', 'penis', 'hell', 'cum', 'tit', 'coon', 'rape', 'dick'];
const MORE_BAD = ['free', 'god', 'nigger', 'spic', 'pot', 'cop', 'on', 'ceet', 'pass word', 'concat', 'ed', 'fag'];

describe('evasions', () => {
  const index = compile(rules(['free', 'cunt', 'money bags']));

  it.each(EVASIONS)('finds the word behind %s', (_name, text, view) => {
    const [hit, ...others] = index.match(text);
    expect(others).toEqual([]);
    expect(hit).toMatchObject({ rule: 'free', view });
    expect(hit?.confidence).toBeGreaterThan(0.3);
    expect((hit?.confidence ?? 0) === 1).toBe(view === 'plain');
  });

  it.each([
    ['cunt', 'CUΝΤ', 'skeleton'],
    ['cunt', 'ϲυпt', 'skeleton'],
    ['hell', 'ΗELL', 'skeleton'],
    ['money', 'ΜΟΝΕΥ', 'skeleton'],
    ['paypal', 'paypaI', 'skeleton'],
    ['kill', 'kiII', 'skeleton'],
    ['telegram', 'tеІеgrаm', 'skeleton'],
    ['shit', 'sħit', 'skeleton'],
    ['god', 'ggoodd', 'squeeze'],
    ['nigger', 'nniiggeerr', 'squeeze'],
    ['scheiße', 's c h e i ß e', 'joined'],
    ['scheiße', 'SCHEIẞE', 'plain'],
    ['मुफ्त में', 'मु फ् त में', 'joined'],
    ['ναι', 'NΑΙ', 'skeleton'],
    ['مجانا', 'مجـــانا', 'plain'],
  ])('finds %s behind %s', (pattern, text, view) => {
    expect(compile(rules([pattern])).match(text)).toMatchObject([{ rule: pattern, start: 0, end: text.length, view }]);
  });

  it.each([
    ['free', '今日は ꓝꓣꓰꓰ です'],
    ['free', 'это 🅵🆁🅴🅴 всё'],
    ['free', 'это ƒгее всё'],
    ['cunt', 'Ελληνικά сυпт'],
    ['сука', 'вот же с у к а какая'],
    ['сука', 'вот же сууука какая'],
    ['сука', 'вот же cyкa какая'],
  ])('finds %s among words of a script that it is not disguised in: %s', (pattern, text) => {
    expect(compile(rules([pattern])).match(text)).toMatchObject([{ rule: pattern }]);
  });

  it('points at the disguised word and at nothing else', () => {
    for (const [, text] of EVASIONS) {
      const [hit] = index.match(text);
      const before = text.slice(0, hit?.start);
      expect(['get ', '', 'get \u202e']).toContain(before);
      expect(text.slice(hit?.end)).toMatch(/^(\u202c?\s*stuff|!)?$| stuff$/);
    }
  });

  it('lowers the confidence with each view it needs', () => {
    const confidence = (text: string): number => index.match(text)[0]?.confidence ?? 0;
    expect(confidence('frее')).toBeGreaterThan(confidence('fr33'));
    expect(confidence('fr33')).toBeGreaterThan(confidence('f r 3 3'));
  });

  it('finds a spaced-out phrase, with and without wider gaps between its words', () => {
    expect(index.match('m o n e y  b a g s')).toMatchObject([
      { rule: 'money bags', start: 0, end: 18, view: 'joined' },
    ]);
    expect(index.match('m o n e y b a g s')).toMatchObject([{ rule: 'money bags', start: 0, end: 17, view: 'joined' }]);
  });

  it.each([
    ['get a f r e e one', 6, 13],
    ['I f r e e', 2, 9],
    ['u r a f r e e', 6, 13],
    ['f r e e u', 0, 7],
    ['a f r 3 3', 2, 9],
  ])('finds a spaced-out word beside words of one letter: %s', (text, start, end) => {
    expect(index.match(text)).toMatchObject([{ rule: 'free', start, end }]);
  });

  it('does not take a part of a spaced-out word for the word', () => {
    expect(index.match('f r e e d o m')).toEqual([]);
    expect(index.match('c a r e f r e e')).toEqual([]);
  });

  it('reads an underscore as a space inside a phrase', () => {
    expect(index.match('my money_bags')).toMatchObject([{ rule: 'money bags', start: 3, end: 13, view: 'joined' }]);
    expect(index.match('_free_')).toEqual([]);
  });

  it('looks for evasions in chat only, not in speech', () => {
    expect(index.match('get fr33 stuff', { speech: true })).toEqual([]);
    expect(index.match('get FREE stuff', { speech: true })).toHaveLength(1);
  });
});

describe('innocent neighbours', () => {
  const index = compile(rules([...BAD, ...MORE_BAD]));

  it.each(INNOCENT)('leaves alone: %s', (text) => {
    expect(index.match(text)).toEqual([]);
  });

  it('still finds each bad word by itself', () => {
    for (const word of BAD) expect(index.match(`so ${word.toUpperCase()}!`)).toMatchObject([{ rule: word, start: 3 }]);
  });

  it.each([
    ['ideal', 'my Idea, I deal, iPhone'],
    ['kel', 'bookkeeper, balloon, committee, aaron'],
    ['ill', 'I will, IIII, I ll'],
    ['hell', 'Ηταν εδώ'],
    ['god', 'good, food, goodness'],
  ])('does not take for %s: %s', (pattern, text) => {
    expect(compile(rules([pattern])).match(text)).toEqual([]);
  });

  it('does not take single letters or doubled letters for a drawl', () => {
    expect(index.match('good')).toEqual([]);
    expect(index.match('goood')).toMatchObject([{ rule: 'god', view: 'squeeze' }]);
    expect(index.match('aaas')).toEqual([]);
    expect(index.match('aaasss')).toMatchObject([{ rule: 'ass', view: 'squeeze' }]);
  });

  it('takes signs for letters sooner than digits', () => {
    expect(index.match('455 a55')).toEqual([]);
    expect(index.match('an a$$')).toMatchObject([{ rule: 'ass', start: 3, end: 6, view: 'leet' }]);
  });

  it('takes a look-alike word for Russian among Russian words and for a disguise by itself', () => {
    expect(index.match('это рот')).toEqual([]);
    expect(index.match('сор')).toMatchObject([{ rule: 'cop', view: 'skeleton' }]);
  });
});
