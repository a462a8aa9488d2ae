import { ENGLISH_WORDS } from './english-words.js';

/** A message says what it has to say at its beginning. */
const TEXT_LIMIT = 500;
const WORD_LIMIT = 80;
/** Words that turn what follows within three words into less than its opposite (VADER: -0.74). */
const NEGATIONS = new Set([
  ...[
    'not',
    'no',
    'never',
    'isnt',
    "isn't",
    'arent',
    "aren't",
    'dont',
    "don't",
    'doesnt',
    "doesn't",
    'didnt',
    "didn't",
  ],
  ...['cant', "can't", 'wont', "won't", 'aint', "ain't", 'wasnt', "wasn't", 'without', 'nobody', 'hardly'],
]);
const STOP = /^[,.;:!?]/;
const NEGATION_REACH = 3;
const NEGATION = -0.74;
/** Words that strengthen the next one (VADER: 0.293). */
const BOOSTERS = new Set([
  'so',
  'very',
  'really',
  'such',
  'fucking',
  'fuckin',
  'fking',
  'absolute',
  'absolutely',
  'total',
  'literally',
  'actual',
]);
const BOOST = 0.293;
/** For a word in capitals among others that are not, and for each exclamation mark up to four (VADER). */
const CAPITALS = 0.733;
const EXCLAMATION = 0.292;
/** Flattens the sum into -1..1 (VADER). */
const ALPHA = 15;

/**
 * The temper of one message from -1 (hostile) to 1 (friendly), 0 when nothing is known of its words; null when it is
 * written in letters that are not Latin, of which nothing can be said. The rules are those of VADER (Hutto & Gilbert,
 * ICWSM 2014) as far as they matter in chat; the words are English alone. Irony, quotations, other languages and
 * evasive spelling are lost on it: it is meant for the share over many messages, never for one.
 */
export function scoreOf(text: string, words: ReadonlyMap<string, number> = ENGLISH_WORDS): number | null {
  const said = text.slice(0, TEXT_LIMIT);
  const letters = said.match(/\p{L}/gu)?.length ?? 0;
  const latin = said.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters > 0 && latin * 2 < letters) return null;
  const spelled = said.match(/[\p{L}\p{N}']+|[,.;:!?]+/gu)?.slice(0, WORD_LIMIT) ?? [];
  const plain = spelled.map((word) => word.toLowerCase());
  const shouted = spelled.map((word) => word.length > 1 && word === word.toUpperCase() && /\p{Lu}/u.test(word));
  const isAllShouted = spelled.every((word, index) => shouted[index] === true || STOP.test(word));
  let sum = 0;
  for (let index = 0; index < plain.length; index += 1) {
    const phrase = words.get(`${plain[index] ?? ''} ${plain[index + 1] ?? ''}`);
    let valence = phrase ?? valenceOf(plain[index] ?? '', words);
    if (valence === 0) continue;
    const sign = Math.sign(valence);
    if (BOOSTERS.has(plain[index - 1] ?? '')) valence += sign * BOOST;
    if (shouted[index] === true && !isAllShouted) valence += sign * CAPITALS;
    if (isNegated(plain, index)) valence *= NEGATION;
    sum += valence;
    if (phrase !== undefined) index += 1;
  }
  if (sum === 0) return 0;
  const marks = Math.min(4, said.match(/!/g)?.length ?? 0);
  sum += Math.sign(sum) * marks * EXCLAMATION;
  return sum / Math.sqrt(sum * sum + ALPHA);
}

/** A negation does not reach over a comma. */
function isNegated(words: readonly string[], index: number): boolean {
  for (let before = index - 1; before >= Math.max(0, index - NEGATION_REACH); before -= 1) {
    const word = words[before] ?? '';
    if (STOP.test(word)) return false;
    if (NEGATIONS.has(word)) return true;
  }
  return false;
}

/** Of a word, or of what it is without its letters drawn out: `loooser`, `niiice`. */
function valenceOf(word: string, words: ReadonlyMap<string, number>): number {
  const known = words.get(word);
  if (known !== undefined) return known;
  if (!/(.)\1\1/u.test(word)) return 0;
  return words.get(word.replace(/(.)\1{2,}/gu, '$1')) ?? words.get(word.replace(/(.)\1{2,}/gu, '$1$1')) ?? 0;
}
