import { z } from 'zod';
import { ChatFigures } from './chat.js';
import { EpochMs, StatusReason, StreamStatus } from './primitives.js';

/** An adapter as it announces itself: no list of them exists in the api. */
export const AdapterDescriptor = z
  .object({ id: z.string(), title: z.string(), options: z.record(z.string(), z.unknown()) })
  .meta({ id: 'AdapterDescriptor' });
export type AdapterDescriptor = z.infer<typeof AdapterDescriptor>;

/**
 * How one part of a session is doing: `off` (not watched, or the stream has none), `starting`, `live`, `degraded` (up,
 * but not all of it is watched), `offline` (the other side has nothing now), `error` (a person must change something).
 */
export const PartReport = z
  .object({
    state: z.enum(['off', 'starting', 'live', 'degraded', 'offline', 'error']),
    /** A sentence for a person; empty when all is well. */
    detail: z.string().max(500),
    since: EpochMs,
  })
  .meta({ id: 'PartReport' });
export type PartReport = z.infer<typeof PartReport>;

/** What was heard of one session's sound. */
const SoundFigures = z.object({
  heardMs: z.number().nonnegative(),
  speechMs: z.number().nonnegative(),
  /** Sound that could not be judged. */
  unheardMs: z.number().nonnegative(),
  /** Transcript segments written. */
  segments: z.number().int().nonnegative(),
  /** Speech that was given up because the engine was behind. */
  droppedMs: z.number().nonnegative(),
});

/** Live figures of one session; a hint, the newest wins. */
export const SessionReport = z
  .object({
    streamId: z.uuid(),
    session: z.number().int().positive(),
    generation: z.number().int().nonnegative(),
    status: StreamStatus,
    reason: StatusReason.nullable(),
    detail: z.string(),
    startedAt: EpochMs,
    lastFrameAt: EpochMs.nullable(),
    /** Frames inspected per second over the last half minute, those that were found unchanged included. */
    inspectedFps: z.number().nonnegative(),
    /** Frames per second that the monitor's inference budget grants it; null when it has no need to share. */
    grantedFps: z.number().nonnegative().nullable().optional(),
    framesCaptured: z.number().int().nonnegative(),
    framesInspected: z.number().int().nonnegative(),
    /** Frames that were replaced by a newer one before they could be inspected. */
    framesDropped: z.number().int().nonnegative(),
    /** Frames that were not inspected, because the inference budget of the monitor is shared. */
    framesShed: z.number().int().nonnegative().optional(),
    /** Inspected frames that showed what the one before did, so that what was found there still held. */
    framesStill: z.number().int().nonnegative().optional(),
    restarts: z.number().int().nonnegative(),
    /** Each part by itself: the picture, the sound, what is said, the chat. */
    parts: z.object({ video: PartReport, audio: PartReport, speech: PartReport, chat: PartReport }),
    sound: SoundFigures.nullable(),
    chat: ChatFigures.nullable(),
    /** Findings that gave way to others, because too many waited to be recorded. */
    findingsDropped: z.number().int().nonnegative(),
    /** Why this monitor watches it, in a sentence. */
    why: z.string().max(500).optional(),
  })
  .meta({ id: 'SessionReport' });
export type SessionReport = z.infer<typeof SessionReport>;

/** One upstream proxy of a monitor. */
export const ProxyState = z
  .object({
    /** Its place in the list and `host:port`; never its credentials. */
    name: z.string().max(300),
    state: z.enum(['healthy', 'benched']),
    successes: z.number().int().nonnegative(),
    failures: z.number().int().nonnegative(),
    /** A sentence without secrets. */
    lastError: z.string().max(500).nullable(),
    benchedUntil: EpochMs.nullable(),
    /** Streams whose newest connection went through it. */
    streams: z.number().int().nonnegative(),
  })
  .meta({ id: 'ProxyState' });
export type ProxyState = z.infer<typeof ProxyState>;

/** What a monitor has measured of itself; everything smoothed over some seconds. */
export const MonitorLoad = z
  .object({
    /** Busy part of the whole machine's processors, 0 to 1. */
    cpu: z.number().min(0).max(1),
    /** Processors that this monitor with its ffmpegs keeps busy, e.g. 0.7. */
    ownCores: z.number().nonnegative(),
    /** Memory that could still be had, MB. */
    memoryFreeMb: z.number().nonnegative(),
    rssMb: z.number().nonnegative(),
    heapMb: z.number().nonnegative(),
    /** 99th percentile of the delay of the event loop over the last ten seconds, ms. */
    eventLoopP99Ms: z.number().nonnegative(),
    /** Inferences per second that the models manage and that are granted, and frames that wait; null without a model. */
    inference: z
      .object({ perSecond: z.number().nonnegative(), granted: z.number().nonnegative(), queued: z.number().int() })
      .nullable(),
    /** How many more streams it has room for. */
    room: z.number().int().nonnegative(),
    /** What is used up first; `setting` is CAPTURE_CAPACITY. */
    limitedBy: z.enum(['cpu', 'inference', 'memory', 'setting']),
    /** The same in a sentence. */
    detail: z.string().max(500),
  })
  .meta({ id: 'MonitorLoad' });
export type MonitorLoad = z.infer<typeof MonitorLoad>;

/** A capture that a monitor took, handed back, or left to others. */
export const CaptureDecision = z
  .object({
    streamId: z.uuid(),
    action: z.enum(['taken', 'handed_back', 'refused']),
    reason: z.string().max(500),
    at: EpochMs,
  })
  .meta({ id: 'CaptureDecision' });
export type CaptureDecision = z.infer<typeof CaptureDecision>;

/** What a monitor says of itself every few seconds; its key expires when it stops. */
export const MonitorHeartbeat = z
  .object({
    v: z.literal(1),
    monitorId: z.string(),
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    startedAt: EpochMs,
    at: EpochMs,
    /** Streams that it can watch as far as its measurements tell, those included that it watches. */
    capacity: z.number().int().nonnegative(),
    /** What its capacity follows from; none in what a monitor of before it says. */
    load: MonitorLoad.optional(),
    /** Its latest decisions about captures, newest last. */
    decisions: z.array(CaptureDecision).max(50).optional(),
    platforms: z.array(AdapterDescriptor),
    chatSources: z.array(AdapterDescriptor),
    detectors: z.array(
      AdapterDescriptor.extend({
        state: z.enum(['ready', 'degraded', 'loading']),
        detail: z.string(),
        model: z.string().nullable(),
        labels: z.array(z.string()),
      }),
    ),
    spool: z.object({
      pending: z.number().int().nonnegative(),
      bytes: z.number().int().nonnegative(),
      shedFrames: z.number().int().nonnegative(),
      shedRecords: z.number().int().nonnegative(),
    }),
    egress: z.object({
      refused: z.number().int().nonnegative(),
      requests: z.number().int().nonnegative(),
      bytes: z.number().int().nonnegative(),
    }),
    /** Upstream proxies; none in what a monitor of before them says. */
    proxies: z.array(ProxyState).max(1_000).default([]),
    /** How often its canary runs, ms; 0 for never. None in what a monitor of before it says. */
    canaryMs: z.number().int().nonnegative().optional(),
    sessions: z.array(SessionReport),
  })
  .meta({ id: 'MonitorHeartbeat' });
export type MonitorHeartbeat = z.infer<typeof MonitorHeartbeat>;
