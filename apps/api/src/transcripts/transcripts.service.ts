import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { TranscriptView } from '#libs/contracts/sockets.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { viewOf, type StreamTranscriptQuery, type TranscriptHit, type TranscriptSearch } from './transcripts.dto.js';
import { MARKS, TranscriptsRepository, type TranscriptFilter, type TranscriptRow } from './transcripts.repository.js';

/** Position in a list: the sequence number of the last item, and `after` for a list that runs forwards. */
const Position = z.tuple([z.string().regex(/^\d{1,19}$/), z.literal('after').optional()]);

/** What was said, for those who may see it: admins all, agents what is on streams assigned to them. */
@Injectable()
export class TranscriptsService {
  constructor(private readonly repository: TranscriptsRepository) {}

  /** One page of a stream's: newest first, or oldest first after a sequence number. */
  async list(
    viewer: AuthenticatedUser,
    streamId: string,
    { limit, cursor, after: since, ...filter }: StreamTranscriptQuery,
  ): Promise<Page<TranscriptView>> {
    const [seq, direction] = decodeCursor(cursor, Position) ?? [];
    const after = direction === 'after' ? seq : cursor === undefined ? since : undefined;
    const before = after === undefined ? (seq ?? null) : null;
    const rows = await this.rows(viewer, { ...filter, streamId, before, after }, limit);
    return toPage(rows, limit, (row) => (after === undefined ? [row.seq] : [row.seq, 'after']), viewOf);
  }

  /** One page of what was found, newest first. */
  async search(
    viewer: AuthenticatedUser,
    { limit, cursor, ...filter }: TranscriptSearch,
  ): Promise<Page<TranscriptHit>> {
    const before = decodeCursor(cursor, Position)?.[0] ?? null;
    const rows = await this.rows(viewer, { ...filter, before }, limit);
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
    filter: Omit<TranscriptFilter, 'agentId' | 'limit'>,
    limit: number,
  ): Promise<TranscriptRow[]> {
    const agentId = viewer.role === 'admin' ? null : viewer.id;
    return this.repository.list({ ...filter, agentId, limit: limit + 1 });
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
