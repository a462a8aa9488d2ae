import { z } from 'zod';
import { ChatLine } from './chat.js';
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

/** Payload schemas of what the server sends on `/`. */
export const ROOT_EVENTS = {
  detection: DetectionView,
  transcript: TranscriptView,
  stream_status: StreamStatusEvent,
  stream_update: StreamUpdateEvent,
  assignment_update: AssignmentUpdateEvent,
  monitor_status: MonitorStatusEvent,
  user_status: UserStatusEvent,
} as const;

/** Payload schemas of what the server sends on `/notifications`. */
export const NOTIFICATION_EVENTS = {
  notification: NotificationView,
  notification_update: NotificationUpdateEvent,
  unread: UnreadEvent,
} as const;

/** Turns a table of payload schemas into the map of listeners that Socket.IO types want. */
export type SocketEvents<Table extends Record<string, z.ZodType>> = {
  [Name in keyof Table]: (payload: z.infer<Table[Name]>) => void;
};
export type RootEvents = SocketEvents<typeof ROOT_EVENTS>;
export type NotificationEvents = SocketEvents<typeof NOTIFICATION_EVENTS>;
