import { Injectable } from '@nestjs/common';
import type { PhraseHit } from '#libs/phrases/phrase-rule.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { whyHit, whyMissed, whyNotTried, type Tried } from './keyword-explanations.js';
import type { KeywordFields } from './keyword-rule.entity.js';
import type { Asked, KeywordTestHit, KeywordTestRequest, KeywordTestResult } from './keyword-test.dto.js';
import { fieldsOf } from './keywords.dto.js';
import { draftsForbidden, keywordNotFound, tooManyTests } from './keywords.errors.js';
import { KeywordsRepository } from './keywords.repository.js';
import { isOf, phraseRuleOf } from './phrase-rules.js';
import { SteppedIndex } from './stepped-index.js';
import { StoredPhrases } from './stored-phrases.js';

/** Texts that are tested at once. */
const MOST_AT_ONCE = 8;

/** One rule that was asked about by name. */
interface Candidate {
  readonly asked: Asked;
  readonly fields: KeywordFields;
}

/** Answers "would this match, and why". */
@Injectable()
export class KeywordTester {
  private running = 0;

  constructor(
    private readonly repository: KeywordsRepository,
    private readonly stored: StoredPhrases,
  ) {}

  /** @throws AppError `keyword_test.forbidden`, `keyword_test.too_many`, `keyword.not_found`. */
  async test(viewer: AuthenticatedUser, request: KeywordTestRequest): Promise<KeywordTestResult> {
    if (request.rules !== undefined && viewer.role !== 'admin') throw draftsForbidden();
    if (this.running >= MOST_AT_ONCE) throw tooManyTests();
    this.running += 1;
    try {
      const { text, speech, language, rules, ruleIds } = request;
      const tried = { text, speech, language };
      if (rules === undefined && ruleIds === undefined) return await this.testStored(tried);
      return await testAsked([...drafts(rules ?? []), ...(await this.named(ruleIds ?? []))], tried);
    } finally {
      this.running -= 1;
    }
  }

  private async testStored(tried: Tried): Promise<KeywordTestResult> {
    const { index, rules } = await this.stored.current(tried.speech);
    const hits = (await index.match(tried.text, tried)).flatMap((hit) => {
      const rule = rules.get(hit.rule);
      if (rule === undefined || !isOf(rule, tried.speech, tried.language)) return [];
      return [hitOf({ ruleId: rule.id, draft: null, label: rule.label, pattern: rule.pattern }, rule, hit, tried)];
    });
    return { hits, misses: [] };
  }

  private async named(ids: readonly string[]): Promise<Candidate[]> {
    const distinct = [...new Set(ids)];
    const rows = new Map((await this.repository.findAll(distinct)).map((row) => [row.id, row]));
    return distinct.map((id) => {
      const fields = rows.get(id);
      if (fields === undefined) throw keywordNotFound();
      const { label, pattern } = fields;
      return { asked: { ruleId: id, draft: null, label, pattern }, fields };
    });
  }
}

function drafts(rules: NonNullable<KeywordTestRequest['rules']>): Candidate[] {
  return rules.map((rule, draft) => {
    const fields = fieldsOf(rule);
    const { label, pattern } = fields;
    return { asked: { ruleId: null, draft, label, pattern }, fields };
  });
}

async function testAsked(candidates: readonly Candidate[], tried: Tried): Promise<KeywordTestResult> {
  const reasons = new Map<number, string>();
  for (const [place, { fields }] of candidates.entries()) {
    const reason = whyNotTried(fields, tried);
    if (reason !== null) reasons.set(place, reason);
  }
  // Also those that are not looked for in this text: a pattern that cannot be used is told first.
  const rules = candidates.map(({ fields }, place) => phraseRuleOf(String(place), fields));
  const index = await SteppedIndex.build(rules, ({ id }, { cause, message }) => {
    reasons.set(Number(id), cause instanceof Error ? cause.message : message);
  });
  const found = new Set<number>();
  const hits = (await index.match(tried.text, tried)).flatMap((hit) => {
    const candidate = candidates[Number(hit.rule)];
    if (candidate === undefined || reasons.has(Number(hit.rule))) return [];
    found.add(Number(hit.rule));
    return [hitOf(candidate.asked, candidate.fields, hit, tried)];
  });
  const misses: KeywordTestResult['misses'] = [];
  for (const [place, { asked, fields }] of candidates.entries()) {
    if (found.has(place)) continue;
    misses.push({ ...asked, why: reasons.get(place) ?? whyMissed(fields, tried) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { hits, misses };
}

function hitOf(
  asked: Asked,
  rule: Pick<KeywordFields, 'pattern' | 'kind'>,
  hit: PhraseHit,
  { text }: Tried,
): KeywordTestHit {
  const { start, end, view, confidence } = hit;
  const matched = text.slice(start, end);
  return { ...asked, start, end, matched, view, confidence, why: whyHit(rule, hit, matched) };
}
