import { collapseLoops, compressionRatio, InventionFilterChain } from './invention-filter.js';

const judge = (text: string, more: { durationMs?: number; vadMean?: number } = {}) =>
  new InventionFilterChain().judge({ text, durationMs: 5_000, vadMean: 0.9, ...more });
const sentence = 'And so my fellow Americans, ask not what your country can do for you.';

describe('InventionFilterChain', () => {
  it('lets true speech through as it is', () => {
    expect(judge(sentence)).toEqual({ text: sentence, filters: [] });
    expect(compressionRatio(sentence)).toBeLessThan(2);
  });

  it('drops what compresses too well', () => {
    expect(judge('and the cat sat '.repeat(20), { durationMs: 15_000 })).toEqual({
      ...{ text: null, filters: ['compression_ratio'] },
    });
  });

  it('leaves one of what is said three times in a row, up to four words long', () => {
    expect(judge('no no no, I will not')).toEqual({ text: 'no I will not', filters: ['loop_collapsed'] });
    expect(collapseLoops('Go on. go on, go on now')).toBe('Go on. now');
    expect(collapseLoops('a b c d a b c d a b c d a b')).toBe('a b c d a b');
    expect(collapseLoops('very very good, very very bad')).toBe('very very good, very very bad');
  });

  it('drops more than 25 characters a second', () => {
    expect(judge(sentence, { durationMs: 2_700 }).filters).toEqual(['too_fast']);
    expect(judge(sentence, { durationMs: 2_900 }).filters).toEqual([]);
  });

  it('believes a stock phrase only from a clear voice', () => {
    expect(judge('Thanks for watching!', { vadMean: 0.59 }).filters).toEqual(['stock_phrase']);
    expect(judge('Thanks for watching!', { vadMean: 0.6 }).text).toBe('Thanks for watching!');
    expect(judge('Thanks for watching the dog.', { vadMean: 0.4 }).text).not.toBeNull();
  });

  it('drops an exact repeat of either of the last two texts, and counts', () => {
    const chain = new InventionFilterChain();
    const say = (text: string) => chain.judge({ text, durationMs: 5_000, vadMean: 0.9 }).text;
    expect([
      say('one thing'),
      say('another'),
      say('One thing.'),
      say('third'),
      say('fourth'),
      say('one thing'),
    ]).toEqual([...['one thing', 'another', null, 'third', 'fourth', 'one thing']]);
    expect(chain.counts).toEqual({ exact_repeat: 1 });
  });

  it('drops text without letters or digits', () => {
    expect(judge(' ... ♪ ').filters).toEqual(['empty']);
  });

  it('stays linear on hostile text', () => {
    const startedAt = process.cpuUsage().user;
    judge('a '.repeat(500_000), { durationMs: 1e9 });
    collapseLoops('ab ab ac '.repeat(1_300));
    expect(process.cpuUsage().user - startedAt).toBeLessThan(2_000_000);
  });
});
