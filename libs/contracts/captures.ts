import { z } from 'zod';
import { EpochMs, Modality, RelativePoint, Severity, Signal } from './primitives.js';

/** Where the chat of a stream is read, when its address does not say it. `push`: whoever owns it sends it in. */
export const ChatChannel = z.object({
  platform: z.string().min(1).max(31),
  channel: z.string().min(1).max(200),
  /** What the source's own schema takes, credentials included. */
  options: z.record(z.string(), z.unknown()),
});
export type ChatChannel = z.infer<typeof ChatChannel>;

/** Data of a job in the `captures` queue: everything a monitor needs to watch one stream. */
export const CaptureJob = z.object({
  v: z.literal(1),
  streamId: z.uuid(),
  /** Grows with every start, stop, restart and edit; a capture of an older generation must end. */
  generation: z.number().int().nonnegative(),
  name: z.string(),
  /** Id of the platform adapter, e.g. `url`. */
  platform: z.string().min(1),
  url: z.string().min(1).max(4096),
  /** 1 (most urgent) to 10. */
  priority: z.number().int().min(1).max(10),
  /** Which parts of the stream are watched. */
  parts: z.array(Modality).max(3),
  /** Code of the language that is spoken, e.g. `en`; null to find out. */
  language: z.string().max(20).nullable(),
  /** Null when the stream's address tells, or when there is no chat. */
  chat: ChatChannel.nullable(),
});
export type CaptureJob = z.infer<typeof CaptureJob>;

/** Told to the monitors at large; the one that holds the capture obeys. */
export const CaptureCommand = z.object({
  v: z.literal(1),
  command: z.enum(['stop']),
  streamId: z.uuid(),
  /** Captures of this or an older generation end. */
  upToGeneration: z.number().int().nonnegative(),
});
export type CaptureCommand = z.infer<typeof CaptureCommand>;

/** A session has seen its first picture: whoever still watches the stream to hand it over may end. */
export const CaptureSeen = z.object({
  v: z.literal(1),
  streamId: z.uuid(),
  /** Who watches now. */
  monitorId: z.string(),
});
export type CaptureSeen = z.infer<typeof CaptureSeen>;

/**
 * What a session that hands its stream over knows of what it has reported, for the next one to report nothing twice.
 */
export const SessionMemory = z.object({
  v: z.literal(1),
  rules: z
    .array(
      z.object({
        ruleId: z.uuid(),
        /** The event that was open at the end of the session; null when none was. */
        eventId: z.uuid().nullable(),
        /** When what the event is about was seen last. */
        seenAt: EpochMs,
        /** No further event of the rule before; the past when it does not cool down. */
        cooldownUntil: EpochMs,
      }),
    )
    .max(1_000),
});
export type SessionMemory = z.infer<typeof SessionMemory>;

/** One object on the watch list. */
export const ObjectRule = z.object({
  id: z.uuid(),
  version: z.number().int().positive(),
  label: z.string().min(1).max(100),
  /** Lowest score that counts, 0 to 1. */
  threshold: z.number().min(0).max(1),
  severity: Severity,
  /** After an event opens, no further one of this rule on the same stream for so long. */
  cooldownMs: z.number().int().nonnegative(),
});
export type ObjectRule = z.infer<typeof ObjectRule>;

/** One word, phrase or pattern that is looked for; the phrase engine says what its fields mean. */
export const KeywordRule = z.object({
  id: z.uuid(),
  version: z.number().int().positive(),
  /** What people call it. */
  label: z.string().min(1).max(200),
  pattern: z.string().min(1).max(1_000),
  kind: z.enum(['literal', 'regex']),
  allow: z.array(z.string().min(1).max(200)).max(100),
  fuzzy: z.boolean(),
  phonetic: z.boolean(),
  /** Where it is looked for. */
  appliesTo: z.enum(['chat', 'speech', 'both']),
  /** Only in speech of this language; null for any. */
  language: z.string().max(20).nullable(),
  severity: Severity,
  cooldownMs: z.number().int().nonnegative(),
});
export type KeywordRule = z.infer<typeof KeywordRule>;

/**
 * A part of a stream's picture. An object counts when the middle of its lower edge lies in one of the include zones
 * for its label, where there are such, and in none of the exclude zones.
 */
export const Zone = z.object({
  id: z.uuid(),
  streamId: z.uuid(),
  kind: z.enum(['include', 'exclude']),
  points: z.array(RelativePoint).min(3).max(50),
  /** Labels it is for; none means all. */
  labels: z.array(z.string().min(1).max(100)).max(100),
});
export type Zone = z.infer<typeof Zone>;

/** A signal that is told. */
export const SignalRule = z.object({
  signal: Signal,
  severity: Severity,
  /** After one was told, no further one of this signal on the same stream for so long. */
  cooldownMs: z.number().int().nonnegative(),
});
export type SignalRule = z.infer<typeof SignalRule>;

/** All enabled rules; `version` grows with every change. */
export const RuleSet = z.object({
  v: z.literal(1),
  version: z.number().int().nonnegative(),
  objects: z.array(ObjectRule).max(1_000),
  keywords: z.array(KeywordRule).max(50_000),
  zones: z.array(Zone).max(10_000),
  signals: z.array(SignalRule).max(50),
});
export type RuleSet = z.infer<typeof RuleSet>;
