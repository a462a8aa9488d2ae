import { languageCode, sameLanguage } from '#libs/phrases/language.js';
import { LanguageVote } from './language-vote.js';

const after = (...votes: [string | null, number][]): string | null => {
  const vote = new LanguageVote();
  for (const [language, ms] of votes) vote.add(language, ms);
  return vote.language;
};

describe('LanguageVote', () => {
  it('needs enough speech and a clear majority of it', () => {
    expect(after(['en', 9_000])).toBeNull();
    expect(after(['en', 9_000], ['en', 2_000])).toBe('en');
    expect(after(['en', 6_000], ['de', 6_000])).toBeNull();
    expect(after(['en', 8_000], ['de', 2_000], ['fr', 1_000])).toBe('en');
    expect(after([null, 60_000])).toBeNull();
  });

  it('keeps to its choice through a few strays, and gives it up when it is contradicted for long', () => {
    const vote = new LanguageVote();
    for (let index = 0; index < 10; index += 1) vote.add('en', 3_000);
    for (let index = 0; index < 6; index += 1) vote.add('de', 3_000);
    expect(vote.language).toBe('en');
    for (let index = 0; index < 10; index += 1) vote.add('de', 3_000);
    expect(vote.language).toBe('de');
  });

  it('reads codes however engines write them', () => {
    expect(['en', 'en-US', '<|en|>', 'EN_gb', '', '??'].map(languageCode)).toEqual([
      'en',
      'en',
      'en',
      'en',
      null,
      null,
    ]);
    expect(sameLanguage('pt-BR', 'pt')).toBe(true);
    expect(sameLanguage('pt', 'es')).toBe(false);
  });
});
