import { AppError } from '#libs/errors/app-error.js';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';

/** Rules that are kept at most; the wire contract has the same limit. */
export const MOST_KEYWORDS = 50_000;

export const keywordNotFound = (): AppError =>
  new AppError('keyword.not_found', 'user', 'There is no such keyword: see GET /api/keywords.');

export const patternTaken = (): AppError =>
  new AppError(
    'keyword.pattern.conflict',
    'user',
    'There is a keyword of this pattern for the same place and language already: change that one.',
  );

const limit = (message: string): AppError => new AppError('keyword.limit.conflict', 'user', message);

export const tooManyKeywords = (): AppError =>
  limit(`There can be ${String(MOST_KEYWORDS)} keywords at most: remove some that are no longer needed.`);

export const tooManyRegexes = (): AppError =>
  limit(
    `There can be ${String(PHRASE_LIMITS.regexes)} enabled regular expressions at most: turn one off, or write this ` +
      'one as a literal.',
  );

export const regexesTooLarge = (): AppError =>
  limit(
    `The enabled regular expressions together would exceed ${String(PHRASE_LIMITS.regexProgramTotal)} instructions: ` +
      'use smaller counts, or turn one off.',
  );

export const tooManyAlike = (): AppError =>
  limit(
    `There can be ${String(PHRASE_LIMITS.fuzzyRules)} enabled keywords with \`fuzzy\` or \`phonetic\` at most: leave ` +
      'both out here, or turn them off elsewhere.',
  );

export const draftsForbidden = (): AppError =>
  new AppError('keyword_test.forbidden', 'user', 'Drafts are for admins: test stored rules, by `ruleIds` or all.');

export const tooManyTests = (): AppError =>
  new AppError('keyword_test.too_many', 'user', 'Many texts are being tested just now: try again in a second.', {
    retryAfterSeconds: 1,
  });
