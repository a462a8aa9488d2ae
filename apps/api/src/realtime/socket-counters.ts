import { Injectable } from '@nestjs/common';

/** Every reason there is. */
export const DROP_REASONS = ['origin_refused', 'flooded', 'typing_dropped', 'invalid'] as const;
/** Why something that a client sent came to nothing. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Counts what of clients was refused or dropped in this process, by reason. */
@Injectable()
export class SocketCounters {
  private readonly counts = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));

  add(reason: DropReason): void {
    this.counts.set(reason, this.of(reason) + 1);
  }

  /** How often since the start. */
  of(reason: DropReason): number {
    return this.counts.get(reason) ?? 0;
  }
}
