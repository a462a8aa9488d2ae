import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { checkPhraseRule } from '#libs/phrases/compile.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { Precondition } from '../../http/etag.js';
import { decodeCursor, toPage, type Page } from '../../http/pagination.js';
import { RulePublisher } from '../rule-publisher.js';
import type { KeywordFields } from './keyword-rule.entity.js';
import {
  CreateKeywordRequest,
  fieldsOf,
  viewOf,
  type ImportedKeyword,
  type ImportKeywordsRequest,
  type ImportKeywordsResult,
  type KeywordQuery,
  type KeywordView,
  type UpdateKeywordRequest,
} from './keywords.dto.js';
import { keywordNotFound } from './keywords.errors.js';
import { phraseRuleOf } from './phrase-rules.js';
import { KeywordsRepository } from './keywords.repository.js';

const Position = z.tuple([z.string(), z.uuid()]);
/** Rows of an import are checked for so long at a stretch, in ms. */
const SLICE_MS = 5;

/** The words, phrases and patterns that are looked for. */
@Injectable()
export class KeywordsService {
  constructor(
    private readonly repository: KeywordsRepository,
    private readonly publisher: RulePublisher,
    private readonly audit: AuditTrail,
  ) {}

  async list({ limit, cursor, ...filter }: KeywordQuery): Promise<Page<KeywordView>> {
    const rows = await this.repository.list(filter, decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, (row) => [row.label, row.id], viewOf);
  }

  /** @throws AppError `keyword.not_found`. */
  async get(id: string): Promise<KeywordView> {
    const row = await this.repository.find(id);
    if (row === null) throw keywordNotFound();
    return viewOf(row);
  }

  /** @throws AppError `phrase.refused`, `keyword.pattern.conflict`, `keyword.limit.conflict`. */
  async create(request: CreateKeywordRequest): Promise<KeywordView> {
    const row = await this.repository.create(checked(fieldsOf(request)));
    await this.publisher.changed();
    const view = viewOf(row);
    await this.record('keyword.created', null, view);
    return view;
  }

  /**
   * @throws AppError `keyword.not_found`, `phrase.refused`, `keyword.pattern.conflict`, `keyword.limit.conflict`,
   * `request.version.precondition_failed`.
   */
  async update(id: string, request: UpdateKeywordRequest, precondition: Precondition): Promise<KeywordView> {
    await this.get(id);
    const change = (before: KeywordFields): KeywordFields => {
      const { label, pattern, kind, allow, fuzzy, phonetic, appliesTo, language, severity, cooldownMs, enabled } = {
        ...before,
        ...request,
      };
      const rest = { label, pattern, kind, allow, fuzzy, phonetic, appliesTo, language, severity, cooldownMs, enabled };
      return checked(fieldsOf(rest));
    };
    const updated = await this.repository.update(id, change, precondition);
    if (updated === null) throw keywordNotFound();
    await this.publisher.changed();
    const view = viewOf(updated.row);
    await this.record('keyword.updated', viewOf(updated.before), view);
    return view;
  }

  /** @throws AppError `keyword.not_found`, `request.version.precondition_failed`. */
  async remove(id: string, precondition: Precondition): Promise<void> {
    await this.get(id);
    const before = await this.repository.remove(id, precondition);
    if (before === null) throw keywordNotFound();
    await this.publisher.changed();
    await this.record('keyword.deleted', viewOf(before), null);
  }

  /** Takes what can be taken of many rules; what cannot is refused row by row. */
  async import({ rules }: ImportKeywordsRequest): Promise<ImportKeywordsResult> {
    const rows: ImportedKeyword[] = [];
    const fitting: { index: number; fields: KeywordFields }[] = [];
    let until = performance.now() + SLICE_MS;
    for (const [index, rule] of rules.entries()) {
      const read = readRow(rule);
      if (typeof read === 'string') rows.push({ index, result: 'refused', id: null, why: read });
      else fitting.push({ index, fields: read });
      if (performance.now() < until) continue;
      await new Promise((resolve) => setImmediate(resolve));
      until = performance.now() + SLICE_MS;
    }
    if (fitting.length > 0) {
      const outcomes = await this.repository.import(fitting.map(({ fields }) => fields));
      for (const [place, outcome] of outcomes.entries())
        rows.push({ why: null, ...outcome, index: fitting[place]?.index ?? 0 });
      await this.publisher.changed();
    }
    const count = (result: ImportedKeyword['result']): number => rows.filter((row) => row.result === result).length;
    const counts = { created: count('created'), duplicates: count('duplicate'), refused: count('refused') };
    await this.audit.record({ action: 'keyword.imported', target: { type: 'keyword', id: '' }, after: counts });
    return { ...counts, rows: rows.sort((a, b) => a.index - b.index) };
  }

  private record(action: `keyword.${string}`, before: KeywordView | null, after: KeywordView | null): Promise<void> {
    const { id, label } = after ?? before ?? { id: '', label: '' };
    return this.audit.record({ action, target: { type: 'keyword', id, name: label }, before, after });
  }
}

/** @throws AppError `phrase.refused` with the reason of the engine. */
function checked(fields: KeywordFields): KeywordFields {
  checkPhraseRule(phraseRuleOf('', fields));
  return fields;
}

/** One row of an import, or the reason why it cannot be taken. */
function readRow(rule: unknown): KeywordFields | string {
  const parsed = CreateKeywordRequest.safeParse(rule);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`.replace(/^: /, '');
  }
  try {
    return checked(fieldsOf(parsed.data));
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
