import type { StatusReason, StreamStatus } from '#libs/contracts/primitives.js';

/** What a stream is doing, why, and in words. */
export interface StatusChange {
  status: StreamStatus;
  reason: StatusReason | null;
  /** A sentence for a person, at most 500 characters. */
  detail: string;
  /** Epoch ms. */
  at: number;
}

/** Longest sentence that travels with a status. */
const LONGEST_DETAIL = 500;

/** Holds the current status of a session and tells of changes only. */
export class SessionStatus {
  private current: StatusChange;

  constructor(
    private readonly tell: (change: StatusChange) => void,
    private readonly now: () => number,
  ) {
    this.current = { status: 'pending', reason: null, detail: '', at: now() };
  }

  get change(): StatusChange {
    return this.current;
  }

  /** Sets the status; the same status for the same reason is no change, whatever the words. */
  set(status: StreamStatus, reason: StatusReason | null = null, detail = ''): void {
    if (this.current.status === status && this.current.reason === reason) return;
    this.current = { status, reason, detail: detail.slice(0, LONGEST_DETAIL), at: this.now() };
    this.tell(this.current);
  }
}
