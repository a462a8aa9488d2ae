import { z } from 'zod';

/** Rows of one import at most. */
const MOST_ROWS = 1_000;

export const StreamJobResult = z
  .object({
    row: z.number().int().describe('Which of the things asked for, from 1 on.'),
    name: z.string().describe('Name of the stream, as far as it could be read.'),
    streamId: z.uuid().nullable(),
    outcome: z
      .enum(['created', 'on_air', 'not_on_air', 'duplicate', 'refused', 'skipped', 'timeout'])
      .describe(
        '`not_on_air`: it is watched, and `detail` says why nothing comes; `timeout`: no news within a minute.',
      ),
    detail: z.string().describe('A sentence for a person.'),
  })
  .meta({ id: 'StreamJobResult' });
export type StreamJobResult = z.infer<typeof StreamJobResult>;

export const StreamJob = z
  .object({
    id: z.uuid(),
    kind: z.enum(['start', 'import', 'refresh']),
    state: z.enum(['running', 'done', 'failed']),
    total: z.number().int(),
    finished: z.number().int(),
    detail: z.string().describe('What is being done, or why it failed.'),
    results: z.array(StreamJobResult),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'StreamJob' });
export type StreamJob = z.infer<typeof StreamJob>;

export const RefreshStreamsRequest = z
  .strictObject({
    streamIds: z.array(z.uuid()).min(1).max(MOST_ROWS).optional(),
    platform: z.string().min(1).max(40).optional(),
  })
  .refine(
    ({ streamIds, platform }) => (streamIds === undefined) !== (platform === undefined),
    'wants either `streamIds` or `platform`',
  )
  .meta({ id: 'RefreshStreamsRequest', example: { platform: 'url' } });
export type RefreshStreamsRequest = z.infer<typeof RefreshStreamsRequest>;

export const ImportStreamsRequest = z
  .strictObject({
    streams: z
      .array(z.unknown())
      .min(1)
      .max(MOST_ROWS)
      .describe('Each as in POST /streams; what does not fit is refused row by row.'),
  })
  .meta({
    id: 'ImportStreamsRequest',
    example: { streams: [{ name: 'Main stage', url: 'https://example.com/live/index.m3u8' }] },
  });
export type ImportStreamsRequest = z.infer<typeof ImportStreamsRequest>;
