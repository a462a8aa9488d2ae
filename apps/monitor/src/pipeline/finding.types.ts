import type { ChatLine } from '#libs/contracts/chat.js';
import type { TranscriptWritten } from '#libs/contracts/facts.js';
import type { Quote, Severity } from '#libs/contracts/primitives.js';

/** What every finding in sound and chat says; the contract's words. */
interface Finding {
  eventId: string;
  /** Null for a signal. */
  ruleId: string | null;
  ruleVersion: number | null;
  label: string;
  severity: Severity;
  /** 0 to 1. */
  confidence: number;
  detector: string;
  model: string;
  /** A sentence for a person; may be empty. */
  detail: string;
  /** Epoch ms. */
  startedAt: number;
  detectedAt: number;
  quote: Quote | null;
}

/** Something was heard. */
export interface HeardFinding extends Finding {
  kind: 'audio';
  segmentId: string | null;
  /** The sound of it, 16 kHz mono: the evidence. Null when there is none. */
  pcm: Int16Array | null;
}

/** Something was written. */
export interface ReadFinding extends Finding {
  kind: 'chat';
  message: ChatLine | null;
  /** At most ten lines before it, oldest first. */
  before: ChatLine[];
}

/** What was said, written down for good. */
export type Transcript = Omit<TranscriptWritten, 'type' | 'streamId' | 'session'>;

/** Where findings in sound and chat go. Every promise resolves once it is safe and rejects when it is not. */
export interface FindingSink {
  found(finding: HeardFinding | ReadFinding): Promise<void>;
  /** Something that lasted is over. @param endedAt epoch ms */
  over(eventId: string, endedAt: number): Promise<void>;
  /** The lines after one that was found. */
  followed(eventId: string, after: readonly ChatLine[]): Promise<void>;
  written(transcript: Transcript): Promise<void>;
}
