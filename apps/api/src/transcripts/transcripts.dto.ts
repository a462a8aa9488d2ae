import { z } from 'zod';
import { TranscriptView } from '#libs/contracts/sockets.js';
import { PageQuery, pageOf } from '../http/pagination.js';
import type { TranscriptRow } from './transcripts.repository.js';

const Words = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must have no control characters')
  .describe('Words to look for, all of them; `"a phrase"`, `or` and `-without` are understood.')
  .meta({ example: '"free offers" -joke' });

const TranscriptFilters = PageQuery.extend({
  q: Words.optional(),
  from: z.iso.datetime({ offset: true }).optional().describe('Only what was said at or after this instant.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Only what was said before this instant.'),
});

/** Which transcripts of a stream to list, newest first. */
export const StreamTranscriptQuery = TranscriptFilters.extend({
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a `seq`')
    .optional()
    .describe('`seq` of the last one you have: lists what was said since, oldest first, to catch up on live captions.'),
});
export type StreamTranscriptQuery = z.infer<typeof StreamTranscriptQuery>;

/** What to look for in everything that was said. */
export const TranscriptSearch = TranscriptFilters.extend({
  q: Words,
  streamId: z.uuid().optional().describe('Only on this stream.'),
});
export type TranscriptSearch = z.infer<typeof TranscriptSearch>;

/** One page of transcripts. */
export const TranscriptPage = pageOf(TranscriptView, 'TranscriptPage');

const Highlight = z.object({
  start: z.number().int().describe('UTF-16 unit of the fragment where it begins.'),
  end: z.number().int().describe('UTF-16 unit after its last.'),
});

/** A transcript in which something was found. */
export const TranscriptHit = TranscriptView.extend({
  fragment: z
    .object({ text: z.string(), highlights: z.array(Highlight) })
    .describe('The stretch of plain text in which the words stand, and where. Escape it before it becomes HTML.'),
}).meta({ id: 'TranscriptHit' });
export type TranscriptHit = z.infer<typeof TranscriptHit>;

/** One page of what was found. */
export const TranscriptHitPage = pageOf(TranscriptHit, 'TranscriptHitPage');

/** A row as clients see it. */
export function viewOf(row: TranscriptRow): TranscriptView {
  return {
    id: row.id,
    seq: row.seq,
    streamId: row.streamId,
    text: row.text,
    language: row.language,
    engine: row.engine,
    model: row.model,
    startedAt: row.startedAt.toISOString(),
    endedAt: row.endedAt.toISOString(),
  };
}
