import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AhoCorasick } from '@monyone/aho-corasick/fast';
import { englishRecommendedTransformers, parseRawPattern, RegExpMatcher } from 'obscenity';
import { compile } from '#libs/phrases/compile.js';
import { PhraseRule } from '#libs/phrases/phrase-rule.js';

const RULES = 10_000;
const MESSAGES = 20_000;
const MESSAGE_LENGTH = 73;
const ROUNDS = 7;

/** Figures of one run; all rates are messages a second on one thread, medians of alternating rounds. */
export interface PhraseFigures {
  messagesPerSecond: number;
  buildMs: number;
  heapMb: number;
  peers: { includes: number; alternation: number; obscenity: number; bareAutomaton: number };
  ratioToBareAutomaton: number;
  ratioToIncludes: number;
}

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

const random = seeded(7);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <Item>(items: readonly Item[], fallback: Item): Item => items[below(items.length)] ?? fallback;

const ONSETS = 'b c d f g h j k l m n p r s t v w z br ch cl dr fl gr pl pr sh st th tr'.split(' ');
const CORES = 'a e i o u a e i o ai ea ee oo ou'.split(' ');
const ENDS = ['', '', '', 'n', 'r', 's', 't', 'l', 'ck', 'ng', 'st', 'm'];

function makeWord(syllables: number): string {
  let word = '';
  for (let index = 0; index < syllables; index++) word += pick(ONSETS, 'b') + pick(CORES, 'a') + pick(ENDS, '');
  return word;
}

/** Chat: words with capitals and punctuation; now and then a number, a leet word, a drawl, a word that rules name. */
function makeMessage(vocabulary: readonly string[], patterns: readonly string[]): string {
  let message = '';
  while (message.length < MESSAGE_LENGTH) {
    const chance = random();
    let word = pick(vocabulary, 'word');
    if (chance < 0.01) word = pick(patterns, 'word');
    else if (chance < 0.02) word = `${below(1_000)}`;
    else if (chance < 0.023) word = word.replace('e', '3');
    else if (chance < 0.026) word = `${word}${word.slice(-1).repeat(4)}`;
    else if (chance < 0.1) word = word.charAt(0).toUpperCase() + word.slice(1);
    else if (chance < 0.13) word = word.toUpperCase();
    message += `${word}${pick([' ', ' ', ' ', ' ', ' ', ', ', '. ', '! ', ' :) '], ' ')}`;
  }
  // A fresh flat string each, as the wire brings them.
  return Buffer.from(message.slice(0, MESSAGE_LENGTH)).toString('latin1');
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;

/** Compares the phrase engine with what else could find 10,000 phrases in chat. */
export async function benchPhrases(progress: (text: string) => void): Promise<PhraseFigures> {
  const vocabulary = Array.from({ length: 6_000 }, () => makeWord(1 + below(3)));
  const unique = new Set<string>();
  while (unique.size < RULES) {
    const word = makeWord(2 + below(2));
    unique.add(unique.size % 4 === 3 ? `${word} ${makeWord(1 + below(2))}` : word);
  }
  const patterns = [...unique];
  const messages = Array.from({ length: MESSAGES }, () => makeMessage(vocabulary, patterns));
  const rules = patterns.map((pattern, index) => PhraseRule.parse({ id: `rule-${index}`, pattern }));

  progress('building …');
  const builds: number[] = [];
  const heaps: number[] = [];
  let index = compile([]);
  for (let round = 0; round < 3; round++) {
    index = compile([]);
    const before = usedMb();
    const startedAt = performance.now();
    index = compile(rules);
    builds.push(performance.now() - startedAt);
    heaps.push(usedMb() - before);
  }

  const bare = new AhoCorasick(patterns);
  const alternation = new RegExp(patterns.map((pattern) => pattern.replace(/[^\w ]/g, '\\$&')).join('|'));
  const obscenity = new RegExpMatcher({
    ...englishRecommendedTransformers,
    blacklistedTerms: patterns.map((pattern, id) => ({ id, pattern: parseRawPattern(`|${pattern}|`) })),
  });
  let found = 0;
  const variants: { name: string; sample: number; run: (message: string) => void }[] = [
    { name: 'vigil', sample: MESSAGES, run: (message) => (found += index.match(message).length) },
    {
      name: 'bareAutomaton',
      sample: MESSAGES,
      run: (message) => (found += bare.matchInText(message.toLowerCase()).length),
    },
    {
      name: 'includes',
      sample: 200,
      run: (message) => {
        const lower = message.toLowerCase();
        for (const pattern of patterns) if (lower.includes(pattern)) found++;
      },
    },
    {
      name: 'alternation',
      sample: 1_000,
      run: (message) => (found += alternation.test(message.toLowerCase()) ? 1 : 0),
    },
    { name: 'obscenity', sample: 5, run: (message) => (found += obscenity.getAllMatches(message).length) },
  ];
  const rates = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    progress(round === 0 ? 'warming up …' : `round ${round} of ${ROUNDS}`);
    for (const { name, sample, run } of variants) {
      const from = (round * sample) % MESSAGES;
      const startedAt = performance.now();
      for (let count = 0; count < sample; count++) run(messages[(from + count) % MESSAGES] ?? '');
      if (round > 0) rates.get(name)?.push((sample * 1_000) / (performance.now() - startedAt));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress(`${found} finds in all.`);
  const rate = (name: string): number => median(rates.get(name) ?? []);
  const hundredth = (value: number): number => Math.round(value * 100) / 100;
  return {
    messagesPerSecond: Math.round(rate('vigil')),
    buildMs: Math.round(median(builds)),
    heapMb: hundredth(median(heaps)),
    peers: {
      includes: Math.round(rate('includes')),
      alternation: Math.round(rate('alternation')),
      obscenity: hundredth(rate('obscenity')),
      bareAutomaton: Math.round(rate('bareAutomaton')),
    },
    ratioToBareAutomaton: hundredth(rate('vigil') / rate('bareAutomaton')),
    ratioToIncludes: hundredth(rate('vigil') / rate('includes')),
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Heap and array buffers in use after a collection, MB. */
function usedMb(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1_048_576;
}
