import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { TranscriptView } from '#libs/contracts/sockets.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { viewOf, type StreamTranscriptQuery, type TranscriptHit, type TranscriptSearch } from './transcripts.dto.js';
import { MARKS, TranscriptsRepository, type TranscriptRow } from './transcripts.repository.js';

const Position = z.tuple([z.string().regex(/^\d{1,19}$/)]);

/** What was said, for those who may see it: admins all, agents what is on streams assigned to them. */
@Injectable()
export class TranscriptsService {
  constructor(private readonly repository: TranscriptsRepository) {}

  /** One page of a stream's, newest first. */
  async list(
    viewer: AuthenticatedUser,
    streamId: string,
    { limit, cursor, ...filter }: StreamTranscriptQuery,
  ): Promise<Page<TranscriptView>> {
    const rows = await this.rows(viewer, { ...filter, streamId }, limit, cursor);
    return toPage(rows, limit, ({ seq }) => [seq], viewOf);
  }

  /** One page of what was found, newest first. */
  async search(
    viewer: AuthenticatedUser,
    { limit, cursor, ...filter }: TranscriptSearch,
  ): Promise<Page<TranscriptHit>> {
    const rows = await this.rows(viewer, filter, limit, cursor);
    const headlines = await this.repository.headlines(
      rows.map(({ id }) => id),
      filter.q,
    );
    return toPage(
      rows,
      limit,
      ({ seq }) => [seq],
      (row) => ({ ...viewOf(row), fragment: fragmentOf(headlines.get(row.id) ?? row.text) }),
    );
  }

  private rows(
    viewer: AuthenticatedUser,
    filter: Omit<TranscriptSearch, 'limit' | 'cursor' | 'q'> & { q?: string | undefined },
    limit: number,
    cursor: string | undefined,
  ): Promise<TranscriptRow[]> {
    return this.repository.list({
      ...filter,
      agentId: viewer.role === 'admin' ? null : viewer.id,
      before: decodeCursor(cursor, Position)?.[0] ?? null,
      limit: limit + 1,
    });
  }
}

/** Takes the marks out of a headline and says where they were. */
function fragmentOf(headline: string): TranscriptHit['fragment'] {
  const highlights: TranscriptHit['fragment']['highlights'] = [];
  let text = '';
  for (const [index, piece] of headline.split(MARKS.start).entries()) {
    const [found = '', rest = ''] = index === 0 ? ['', piece] : piece.split(MARKS.end);
    if (found !== '') highlights.push({ start: text.length, end: text.length + found.length });
    text += found + rest;
  }
  return { text, highlights };
}
