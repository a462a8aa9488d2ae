import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { checkPhraseRule } from '#libs/phrases/compile.js';
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
    return viewOf(row);
  }

  /** @throws AppError `keyword.not_found`, `phrase.refused`, `keyword.pattern.conflict`, `keyword.limit.conflict`. */
  async update(id: string, request: UpdateKeywordRequest): Promise<KeywordView> {
    await this.get(id);
    const row = await this.repository.update(id, (before) => {
      const { label, pattern, kind, allow, fuzzy, phonetic, appliesTo, language, severity, cooldownMs, enabled } = {
        ...before,
        ...request,
      };
      const rest = { label, pattern, kind, allow, fuzzy, phonetic, appliesTo, language, severity, cooldownMs, enabled };
      return checked(fieldsOf(rest));
    });
    if (row === null) throw keywordNotFound();
    await this.publisher.changed();
    return viewOf(row);
  }

  /** @throws AppError `keyword.not_found`. */
  async remove(id: string): Promise<void> {
    await this.get(id);
    if (!(await this.repository.remove(id))) throw keywordNotFound();
    await this.publisher.changed();
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
    return {
      created: count('created'),
      duplicates: count('duplicate'),
      refused: count('refused'),
      rows: rows.sort((a, b) => a.index - b.index),
    };
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
