import { createLogger } from '#libs/observability/logger.js';
import { keywordOf } from '../../sessions/session.fixture.js';
import { KeywordWatch } from './keyword-watch.js';

const labels = (hits: readonly { rule: { label: string } }[]): string[] => hits.map(({ rule }) => rule.label).sort();

describe('KeywordWatch', () => {
  let watch: KeywordWatch;
  beforeEach(() => (watch = new KeywordWatch(createLogger('test', 'silent'))));
  afterEach(() => watch.stop());

  it('looks for each rule where it applies', async () => {
    watch.update([
      keywordOf('written', 'alpha', { appliesTo: 'chat' }),
      keywordOf('spoken', 'alpha', { appliesTo: 'speech' }),
      keywordOf('both', 'beta'),
    ]);
    await watch.settled();
    expect(labels(watch.inChat('4lpha and beta'))).toEqual(['both', 'written']);
    expect(labels(watch.inSpeech('alpha and beta', 0, null))).toEqual(['both', 'spoken']);
    expect(watch.state()).toEqual({ state: 'ready', detail: '2 rules for chat, 2 for speech.' });
  });

  it('gives one hit of a rule for a line, the surest, and in speech all that are new', async () => {
    watch.update([keywordOf('word', 'alpha')]);
    await watch.settled();
    expect(watch.inChat('a-l-p-h-a alpha 4lpha')).toMatchObject([{ view: 'plain', start: 10 }]);
    expect(watch.inSpeech('alpha then alpha', 6, null)).toMatchObject([{ start: 11 }]);
  });

  it('keeps a rule of one language out of others, and looks for it where the language is not known', async () => {
    watch.update([keywordOf('german', 'gift', { language: 'de' }), keywordOf('any', 'gift')]);
    await watch.settled();
    expect(labels(watch.inSpeech('gift', 0, 'de-AT'))).toEqual(['any', 'german']);
    expect(labels(watch.inSpeech('gift', 0, 'en'))).toEqual(['any']);
    expect(labels(watch.inSpeech('gift', 0, null))).toEqual(['any', 'german']);
  });

  it('leaves out what cannot be compiled, names it, and looks for the rest', async () => {
    watch.update([keywordOf('broken', '(?P<', { kind: 'regex' }), keywordOf('good', 'alpha')]);
    await watch.settled();
    expect(labels(watch.inChat('alpha'))).toEqual(['good']);
    const { state, detail } = watch.state();
    expect(state).toBe('degraded');
    expect(detail).toMatch(/^1 rules for chat, 1 for speech\. Not looked for: "broken" \(.*regular expression.*\)\.$/);
  });

  it('matches by the old rules until the new ones are ready, and ends with the newest', async () => {
    watch.update([keywordOf('old', 'alpha')]);
    await watch.settled();
    const many = Array.from({ length: 5_000 }, (_, index) => keywordOf(`${index}`, `word${index}`));
    watch.update([...many, keywordOf('middle', 'alpha')]);
    watch.update([...many, keywordOf('new', 'alpha')]);
    expect(labels(watch.inChat('alpha'))).toEqual(['old']);
    expect(watch.state().state).toBe('loading');
    await watch.settled();
    expect(labels(watch.inChat('alpha'))).toEqual(['new']);
    expect(watch.state().state).toBe('ready');
  });
});
