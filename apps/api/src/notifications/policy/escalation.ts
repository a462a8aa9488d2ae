import type { Severity } from '#libs/contracts/primitives.js';

/** Time in which somebody must acknowledge an alert, by severity, ms; 0 or none for never. */
export type Promises = Partial<Record<Severity, number>>;

/** Whom a step of the chain tells, over every channel they have, whatever their quiet hours. */
export type EscalationStep = 'stream' | 'admins';

/** First everybody who looks after the stream, once more; then the admins. */
const CHAIN: readonly EscalationStep[] = ['stream', 'admins'];

/** When an alert that was just told is taken further, null for never. */
export function firstEscalationAt(severity: Severity, now: number, promises: Promises): number | null {
  const promise = promises[severity] ?? 0;
  return promise > 0 ? now + promise : null;
}

/** What is due for an alert that nobody acknowledged. */
export interface Escalation {
  step: EscalationStep;
  /** Steps taken, this one included. */
  level: number;
  /** When the next step is due, null when the chain is over. */
  nextAt: number | null;
}

/** @param level steps that were taken already. @returns null when the chain is over. */
export function escalate(level: number, severity: Severity, now: number, promises: Promises): Escalation | null {
  const step = CHAIN[level];
  if (step === undefined) return null;
  const nextAt = level + 1 < CHAIN.length ? firstEscalationAt(severity, now, promises) : null;
  return { step, level: level + 1, nextAt };
}
