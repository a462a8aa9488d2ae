import type { PartReport } from '#libs/contracts/monitors.js';

/** Longest sentence that travels with a state. */
const LONGEST_DETAIL = 500;

/** How one part of a session is doing. */
export class PartState {
  private current: PartReport;

  /** @param watched whether it is watched at all; it is `off` for good when not */
  constructor(
    private readonly now: () => number,
    readonly watched: boolean,
  ) {
    this.current = { state: watched ? 'starting' : 'off', detail: '', since: now() };
  }

  get state(): PartReport['state'] {
    return this.current.state;
  }

  /** Sets the state. `since` is when the state changed, whatever the words. */
  set(state: PartReport['state'], detail = ''): void {
    if (!this.watched) return;
    const since = this.current.state === state ? this.current.since : this.now();
    this.current = { state, detail: detail.slice(0, LONGEST_DETAIL), since };
  }

  report(): PartReport {
    return { ...this.current };
  }
}
