import { z } from 'zod';
import { CanaryOutcome } from './canary.js';
import { ChatLine } from './chat.js';
import { CoveragePart } from './coverage.js';
import { NAMESPACES } from './names.js';
import { Box, Modality, Quote, Severity, StatusReason, StreamStatus } from './primitives.js';

const Instant = z.iso.datetime();

/** A detection as clients see it, over REST and Socket.IO alike. */
export const DetectionView = z
  .object({
    id: z.uuid(),
    /** Grows with every detection; the cursor to replay from. */
    seq: z.string(),
    streamId: z.uuid(),
    streamName: z.string(),
    kind: Modality,
    /** What was found: the label of an object, the name of a keyword, a signal. */
    label: z.string(),
    severity: Severity,
    confidence: z.number(),
    /** Id of the detector, and name of the model behind it. */
    detector: z.string(),
    model: z.string(),
    ruleId: z.uuid().nullable(),
    /** A sentence for a person; may be empty. */
    detail: z.string(),
    /** The best object's box; null for what was heard or read. */
    box: Box.nullable(),
    objects: z.array(z.object({ label: z.string(), score: z.number(), box: Box })),
    frame: z.object({ width: z.number().int(), height: z.number().int() }).nullable(),
    /** The words a phrase was found in. */
    quote: Quote.nullable(),
    /** The transcript segment that the quote is from. */
    segmentId: z.uuid().nullable(),
    /** The line of chat, and what was written around it. */
    chat: z.object({ message: ChatLine.nullable(), before: z.array(ChatLine), after: z.array(ChatLine) }).nullable(),
    /** Signed path of the evidence image, null when none was kept; holds an hour. `&boxes=1` has the boxes drawn. */
    imageUrl: z.string().nullable(),
    /** Signed path of the stretch of sound, null when none was kept; holds an hour. */
    clipUrl: z.string().nullable(),
    startedAt: Instant,
    detectedAt: Instant,
    endedAt: Instant.nullable(),
    frames: z.number().int().nullable(),
    ptsMs: z.number().nullable(),
    /** Whether it stays however old it is. */
    keep: z.boolean(),
  })
  .meta({ id: 'Detection' });
export type DetectionView = z.infer<typeof DetectionView>;

/** What was said, as clients see it: live captions over Socket.IO, transcripts over REST. */
export const TranscriptView = z
  .object({
    id: z.uuid(),
    /** Grows with every segment; the cursor to replay from. */
    seq: z.string(),
    streamId: z.uuid(),
    text: z.string(),
    language: z.string().nullable(),
    engine: z.string(),
    model: z.string(),
    startedAt: Instant,
    endedAt: Instant,
  })
  .meta({ id: 'Transcript' });
export type TranscriptView = z.infer<typeof TranscriptView>;

/** What a notification is about. */
export const NotificationKind = z
  .enum(['detection', 'message', 'forward', 'escalation', 'notice'])
  .meta({ id: 'NotificationKind' });
export type NotificationKind = z.infer<typeof NotificationKind>;

/** A notification as its recipient sees it. */
export const NotificationView = z
  .object({
    id: z.uuid(),
    /** The cursor to replay from. */
    seq: z.string(),
    /**
     * `detection`: something was found; `message`: an admin says something; `forward`: a colleague passed it on;
     * `escalation`: nobody acknowledged in time; `notice`: the system itself, such as a webhook that was disabled.
     */
    kind: NotificationKind,
    title: z.string(),
    body: z.string(),
    severity: Severity,
    streamId: z.uuid().nullable(),
    detectionId: z.uuid().nullable(),
    /** Hits that it stands for, the first one and the silenced ones included. */
    count: z.number().int().positive(),
    /** Hits among them that came under a silence. */
    suppressed: z.number().int().nonnegative(),
    /** The silence held when it came: nobody was told. */
    silenced: z.boolean(),
    /** The last hit that was counted. */
    lastAt: Instant.nullable(),
    /** Groups what is told of one rule on one stream; null for what is no detection. */
    alertId: z.uuid().nullable(),
    /** When its recipient took it on; that ends the escalation. */
    acknowledgedAt: Instant.nullable(),
    /** Who sent or forwarded it, and what they wrote. */
    senderId: z.uuid().nullable(),
    note: z.string(),
    createdAt: Instant,
    readAt: Instant.nullable(),
  })
  .meta({ id: 'Notification' });
export type NotificationView = z.infer<typeof NotificationView>;

/** A stream's status changed. */
export const StreamStatusEvent = z
  .object({
    streamId: z.uuid(),
    status: StreamStatus,
    reason: StatusReason.nullable(),
    detail: z.string(),
    at: Instant,
  })
  .meta({ id: 'StreamStatusEvent' });
export type StreamStatusEvent = z.infer<typeof StreamStatusEvent>;

/** A stream was created, edited or removed: fetch it again. */
export const StreamUpdateEvent = z
  .object({ streamId: z.uuid(), change: z.enum(['created', 'updated', 'deleted', 'monitoring']) })
  .meta({ id: 'StreamUpdateEvent' });
export type StreamUpdateEvent = z.infer<typeof StreamUpdateEvent>;

/** One of the caller's assignments came or went. */
export const AssignmentUpdateEvent = z
  .object({ streamId: z.uuid(), agentId: z.uuid(), change: z.enum(['assigned', 'unassigned']) })
  .meta({ id: 'AssignmentUpdateEvent' });
export type AssignmentUpdateEvent = z.infer<typeof AssignmentUpdateEvent>;

/** A monitor came, went or changed its state. */
export const MonitorStatusEvent = z
  .object({ monitorId: z.string(), state: z.enum(['up', 'down']), at: Instant })
  .meta({ id: 'MonitorStatusEvent' });
export type MonitorStatusEvent = z.infer<typeof MonitorStatusEvent>;

/** A part of a canary run was told: whether what was planted was found. */
export const CanaryEvent = z
  .object({
    runId: z.uuid(),
    monitorId: z.string(),
    part: CoveragePart,
    outcome: CanaryOutcome,
    reason: z.string(),
    at: Instant,
  })
  .meta({ id: 'CanaryEvent' });
export type CanaryEvent = z.infer<typeof CanaryEvent>;

/** A user came online or went offline. */
export const UserStatusEvent = z
  .object({ userId: z.uuid(), online: z.boolean(), at: Instant })
  .meta({ id: 'UserStatusEvent' });
export type UserStatusEvent = z.infer<typeof UserStatusEvent>;

/** How many notifications the user has not read. */
export const UnreadEvent = z.object({ notifications: z.number().int().nonnegative() }).meta({ id: 'UnreadEvent' });
export type UnreadEvent = z.infer<typeof UnreadEvent>;

/** Notifications changed their state, on this or another device; null means all of the user's. */
export const NotificationUpdateEvent = z
  .object({
    ids: z.array(z.uuid()).nullable(),
    readAt: Instant.nullable(),
    /** They are gone. */
    deleted: z.boolean().optional(),
    /** How many hits it stands for now; only where `ids` names one. */
    count: z.number().int().positive().optional(),
    acknowledgedAt: Instant.nullable().optional(),
  })
  .meta({ id: 'NotificationUpdateEvent' });
export type NotificationUpdateEvent = z.infer<typeof NotificationUpdateEvent>;

/** A file that was sent along with a message. */
export const AttachmentView = z
  .object({
    id: z.uuid(),
    /** As a person may save it; its ending says what the content is. */
    name: z.string(),
    contentType: z.string(),
    /** Length in bytes. */
    size: z.number().int(),
    /** In pixels; null for what is no image. */
    width: z.number().int().nullable(),
    height: z.number().int().nullable(),
    /** Path to fetch it from, with an access token. */
    url: z.string(),
  })
  .meta({ id: 'Attachment' });
export type AttachmentView = z.infer<typeof AttachmentView>;

/** A message between two users, as both see it. */
export const MessageView = z
  .object({
    id: z.uuid(),
    /** Grows with every message of a conversation; the cursor to replay from. */
    seq: z.string(),
    /** `system`: written by Vigil for the sender, who did what it tells of. */
    kind: z.enum(['text', 'system']),
    senderId: z.uuid(),
    recipientId: z.uuid(),
    /** The sender's own id of the message; null for `system`. */
    clientId: z.uuid().nullable(),
    body: z.string(),
    attachments: z.array(AttachmentView),
    sentAt: Instant,
    readAt: Instant.nullable(),
  })
  .meta({ id: 'Message' });
export type MessageView = z.infer<typeof MessageView>;

/** The other one of a conversation writes, or stopped. */
export const TypingEvent = z.object({ userId: z.uuid(), typing: z.boolean(), at: Instant }).meta({ id: 'TypingEvent' });
export type TypingEvent = z.infer<typeof TypingEvent>;

/** A recipient has read messages of a sender; both hear of it. */
export const MessageReadEvent = z
  .object({
    readerId: z.uuid(),
    senderId: z.uuid(),
    /** Null: all of this sender up to `seq`. */
    ids: z.array(z.uuid()).nullable(),
    /** The newest of them. */
    seq: z.string(),
    readAt: Instant,
  })
  .meta({ id: 'MessageReadEvent' });
export type MessageReadEvent = z.infer<typeof MessageReadEvent>;

/** How many messages the user has not read. */
export const UnreadMessagesEvent = z
  .object({ messages: z.number().int().nonnegative() })
  .meta({ id: 'UnreadMessagesEvent' });
export type UnreadMessagesEvent = z.infer<typeof UnreadMessagesEvent>;

/** Text that Postgres and JSON can both keep. */
const MessageText = z
  .string()
  .max(4_000)
  .refine((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text), 'holds characters that cannot be kept');

/** What a message is made of; the same over REST and Socket.IO. */
export const NewMessage = z
  .object({
    clientId: z
      .uuid()
      .describe('An id that the client makes for this message: sent again, it makes no second one, however often.'),
    body: MessageText.default('').describe('Plain text; may be empty where something is attached.'),
    attachmentIds: z.array(z.uuid()).max(10).default([]).describe('What was uploaded for it by POST /attachments.'),
  })
  .refine(({ body, attachmentIds }) => body.trim() !== '' || attachmentIds.length > 0, {
    path: ['body'],
    message: 'is needed where nothing is attached',
  })
  .refine(({ attachmentIds }) => new Set(attachmentIds).size === attachmentIds.length, {
    path: ['attachmentIds'],
    message: 'names one twice',
  })
  .meta({ id: 'NewMessage' });
export type NewMessage = z.infer<typeof NewMessage>;

/** Which messages to mark as read. */
export const MessageIds = z.object({ ids: z.array(z.uuid()).min(1).max(200) }).meta({ id: 'MessageIds' });
export type MessageIds = z.infer<typeof MessageIds>;

/** Sends a message over the socket. */
export const SendMessage = z.object({ userId: z.uuid(), message: NewMessage }).meta({ id: 'SendMessage' });
export type SendMessage = z.infer<typeof SendMessage>;

/** Says to the other one of a conversation that the caller writes, or stopped. */
export const TypingRequest = z.object({ userId: z.uuid(), typing: z.boolean() }).meta({ id: 'TypingRequest' });
export type TypingRequest = z.infer<typeof TypingRequest>;

/** Answer to what a client sent over a socket: `error` has the stable code and a sentence for a person. */
export const SocketAnswer = z
  .union([
    z.object({ ok: z.literal(true), message: MessageView.optional() }),
    z.object({ ok: z.literal(false), error: z.object({ code: z.string(), detail: z.string() }) }),
  ])
  .meta({ id: 'SocketAnswer' });
export type SocketAnswer = z.infer<typeof SocketAnswer>;

/** Payload schemas of what the server sends on `/`. */
export const ROOT_EVENTS = {
  detection: DetectionView,
  transcript: TranscriptView,
  stream_status: StreamStatusEvent,
  stream_update: StreamUpdateEvent,
  assignment_update: AssignmentUpdateEvent,
  monitor_status: MonitorStatusEvent,
  canary: CanaryEvent,
  user_status: UserStatusEvent,
} as const;

/** Payload schemas of what the server sends on `/notifications`. */
export const NOTIFICATION_EVENTS = {
  notification: NotificationView,
  notification_update: NotificationUpdateEvent,
  unread: UnreadEvent,
} as const;

/** Payload schemas of what the server sends on `/messages`. */
export const MESSAGE_EVENTS = {
  message: MessageView,
  typing: TypingEvent,
  message_read: MessageReadEvent,
  unread: UnreadMessagesEvent,
} as const;

/** Payload schemas of what clients send on `/messages`; on the other namespaces they have nothing to say. */
export const MESSAGE_CLIENT_EVENTS = {
  message: SendMessage,
  typing: TypingRequest,
  message_read: MessageIds,
} as const;

/** What the server sends, by namespace. */
export const SERVER_EVENTS = {
  [NAMESPACES.root]: ROOT_EVENTS,
  [NAMESPACES.notifications]: NOTIFICATION_EVENTS,
  [NAMESPACES.messages]: MESSAGE_EVENTS,
} as const satisfies Record<string, Record<string, z.ZodType>>;

/** Turns a table of payload schemas into the map of listeners that Socket.IO types want. */
export type SocketEvents<Table extends Record<string, z.ZodType>> = {
  [Name in keyof Table]: (payload: z.infer<Table[Name]>) => void;
};
export type RootEvents = SocketEvents<typeof ROOT_EVENTS>;
export type NotificationEvents = SocketEvents<typeof NOTIFICATION_EVENTS>;
export type MessageEvents = SocketEvents<typeof MESSAGE_EVENTS>;
/** What clients send on `/messages`, with the answer they may ask for. */
export type MessageClientEvents = {
  [Name in keyof typeof MESSAGE_CLIENT_EVENTS]: (
    payload: z.input<(typeof MESSAGE_CLIENT_EVENTS)[Name]>,
    answer?: (answer: SocketAnswer) => void,
  ) => void;
};
