import { z } from 'zod';
import { Modality, StatusReason, StreamStatus } from '#libs/contracts/primitives.js';
import { redactUrls } from '#libs/observability/logger.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { PageQuery, pageOf } from '../http/pagination.js';
import { QueryFlag } from '../http/params.js';
import { ChatChannelRequest, ChatChannelView, chatViewOf } from './chat-channel.dto.js';
import type { StreamEntity } from './stream.entity.js';

/** What ffmpeg plays; `file` only where the monitor allows it. */
const SCHEMES = ['http:', 'https:', 'rtmp:', 'rtmps:', 'rtsp:', 'rtsps:', 'srt:', 'file:'];

const Name = z.string().trim().min(1).max(200).describe('Unique name.').meta({ example: 'Main stage' });
const Platform = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and dashes')
  .describe('Id of a platform adapter; GET /api/monitors lists them.')
  .meta({ example: 'url' });
const Url = z
  .string()
  .trim()
  .max(4_096)
  .refine((text) => URL.canParse(text), 'is no URL')
  .refine(
    (text) => !URL.canParse(text) || SCHEMES.includes(new URL(text).protocol),
    `must be one of ${SCHEMES.map((scheme) => scheme.replace(':', '')).join(', ')}`,
  )
  .describe(
    'Where it is played: HLS, DASH, RTMP, RTSP, SRT, or a file where the monitor allows it. The example is the stream of `npm run demo`.',
  )
  .meta({ example: 'http://127.0.0.1:3080/live/live.m3u8' });
const Priority = z
  .number()
  .int()
  .min(1)
  .max(10)
  .describe('1 is served first when capacity is short.')
  .meta({ example: 5 });

const Parts = z
  .array(Modality)
  .min(1)
  .max(3)
  .transform((parts) => Modality.options.filter((part) => parts.includes(part)))
  .describe('Which parts of it are watched; all by default.')
  .meta({ example: ['video', 'audio', 'chat'] });
const Language = z
  .string()
  .max(20)
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language code such as `en`')
  .nullable()
  .describe('Code of the language that is spoken; null to find out.')
  .meta({ example: 'en' });

export const StreamState = z
  .object({
    status: StreamStatus,
    reason: StatusReason.nullable(),
    detail: z.string().describe('A sentence for a person; empty when all is well.'),
    since: z.iso.datetime(),
  })
  .meta({ id: 'StreamState' });
export type StreamState = z.infer<typeof StreamState>;

export const Stream = z
  .object({
    id: z.uuid(),
    name: z.string().meta({ example: 'Main stage' }),
    platform: z.string().meta({ example: 'url' }),
    url: z.string().describe('Without credentials and query unless you are an admin.'),
    priority: z.number().int().meta({ example: 5 }),
    parts: z.array(Modality).describe('Which parts of it are watched.'),
    language: z.string().nullable().describe('Code of the language that is spoken; null to find out.'),
    chat: ChatChannelView.nullable().describe('Where its chat is, when its address does not say it.'),
    monitored: z.boolean().describe('Whether it should be watched.'),
    generation: z.number().int().describe('Grows with every start, stop, restart and change of source.'),
    version: z.number().int().describe('Grows with every edit; also the `ETag`.'),
    status: StreamState,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Stream' });
export type Stream = z.infer<typeof Stream>;

export const StreamPage = pageOf(Stream, 'StreamPage');

export const StreamQuery = PageQuery.extend({
  platform: Platform.optional(),
  status: StreamStatus.optional(),
  monitored: QueryFlag.optional().describe('Only those that should be watched, or should not.'),
  agentId: z.uuid().optional().describe('Only those that this agent looks after.'),
});
export type StreamQuery = z.infer<typeof StreamQuery>;

export const CreateStreamRequest = z
  .strictObject({
    name: Name,
    platform: Platform.default('url'),
    url: Url,
    priority: Priority.default(5),
    parts: Parts.default([...Modality.options]),
    language: Language.default(null),
    chat: ChatChannelRequest.nullable().default(null),
  })
  .meta({ id: 'CreateStreamRequest' });
export type CreateStreamRequest = z.infer<typeof CreateStreamRequest>;

export const UpdateStreamRequest = z
  .strictObject({
    name: Name.optional(),
    platform: Platform.optional(),
    url: Url.optional(),
    priority: Priority.optional(),
    parts: Parts.optional(),
    language: Language.optional(),
    chat: ChatChannelRequest.nullable().optional(),
  })
  .meta({ id: 'UpdateStreamRequest' });
export type UpdateStreamRequest = z.infer<typeof UpdateStreamRequest>;

export const SetStatusRequest = z
  .strictObject({
    status: z.enum(['live', 'offline', 'error', 'stopped']).describe('What somebody has seen for themselves.'),
    detail: z.string().max(500).default('').describe('Why.').meta({ example: 'The organiser says it begins at nine.' }),
  })
  .meta({ id: 'SetStatusRequest' });
export type SetStatusRequest = z.infer<typeof SetStatusRequest>;

export function stateOf(row: Pick<StreamEntity, 'status' | 'reason' | 'detail' | 'statusAt'>): StreamState {
  return { status: row.status, reason: row.reason, detail: row.detail, since: row.statusAt.toISOString() };
}

/** A stream as this viewer may see it. */
export function viewOf(row: StreamEntity, viewer: AuthenticatedUser): Stream {
  const { id, name, platform, url, priority, desired, generation } = row;
  return {
    id,
    name,
    platform,
    url: viewer.role === 'admin' ? url : redactUrls(url),
    priority,
    parts: row.parts,
    language: row.language,
    chat: chatViewOf(row.chat, viewer.role),
    monitored: desired,
    generation,
    version: row.revision,
    status: stateOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
