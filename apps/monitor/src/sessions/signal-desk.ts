import type { SignalRule } from '#libs/contracts/captures.js';
import type { Signal } from '#libs/contracts/primitives.js';
import type { Cooldowns } from '../pipeline/cooldowns.js';
import { nameBasedId } from '../pipeline/event-id.js';
import type { Findings } from './findings.js';

/** A signal that began or ended. */
export interface SignalChange {
  signal: Signal;
  change: 'opened' | 'closed';
  kind: 'audio' | 'chat';
  /** Id of the detector, and name of the model behind it; the same where there is none. */
  detector: string;
  model: string;
  /** 0 to 1; 1 for what was measured. */
  confidence: number;
  /** A sentence for a person. */
  detail: string;
  /** Its beginning, in the session's own time, ms: the same in both changes of one occurrence. */
  startedMs: number;
  /** Wall time of its beginning, and of this change, epoch ms. */
  startedAt: number;
  at: number;
  /** Gives the sound that shows it, 16 kHz mono; asked for a beginning that is told. */
  pcm?: () => Int16Array | null;
}

/**
 * Turns signals of one session into findings, as far as they are wanted: what the sound rules hear comes here, and so
 * does the mood of a chat.
 */
export class SignalDesk {
  /** The event of each signal that lasts, and whether it is safe. */
  private readonly open = new Map<Signal, { eventId: string; kept: Promise<boolean> }>();

  constructor(
    private readonly origin: { streamId: string; session: number },
    private readonly ruleOf: (signal: Signal) => SignalRule | null,
    private readonly cooldowns: Cooldowns,
    private readonly findings: Findings,
  ) {}

  tell(change: SignalChange): void {
    if (change.change === 'opened') this.begin(change);
    else this.end(change);
  }

  private begin(change: SignalChange): void {
    const { signal, kind, startedMs, startedAt, at, confidence, detector, model, detail, pcm } = change;
    const rule = this.ruleOf(signal);
    if (rule === null || !this.cooldowns.pass(signal, rule.cooldownMs, startedMs)) return;
    const { streamId, session } = this.origin;
    const eventId = nameBasedId('signal', streamId, session, signal, startedMs);
    const finding = {
      ...{ eventId, ruleId: null, ruleVersion: null, label: signal, severity: rule.severity, confidence },
      ...{ detector, model, detail, startedAt, detectedAt: Math.max(startedAt, at), quote: null },
    };
    const kept = this.findings.found(
      kind === 'audio'
        ? { ...finding, kind, segmentId: null, pcm: pcm?.() ?? null }
        : { ...finding, kind, message: null, before: [] },
    );
    this.open.set(signal, { eventId, kept });
    void kept.then((safe) => {
      if (safe) this.cooldowns.kept(signal, rule.cooldownMs, startedMs);
      else this.cooldowns.refused(signal);
    });
  }

  private end({ signal, at }: SignalChange): void {
    const event = this.open.get(signal);
    this.open.delete(signal);
    if (event !== undefined) this.findings.over(event.eventId, at, event.kept);
  }
}
