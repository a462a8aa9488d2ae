/** Facts that were sent and are not known to be committed: their stream entries by sequence number. */
export class InFlight {
  private readonly entries = new Map<number, string>();

  get size(): number {
    return this.entries.size;
  }

  sent(seq: number, entryId: string): void {
    this.entries.set(seq, entryId);
  }

  /** Forgets everything up to `seq`. */
  settle(seq: number): void {
    // Kept in order of sequence, so the loop ends at the first that stays.
    for (const known of this.entries.keys()) {
      if (known > seq) return;
      this.entries.delete(known);
    }
  }

  clear(): void {
    this.entries.clear();
  }

  /** The entries to ask for when nothing moves: the oldest and the newest. */
  ends(): string[] {
    const first = this.entries.values().next().value;
    if (first === undefined) return [];
    let last = first;
    for (const entryId of this.entries.values()) last = entryId;
    return first === last ? [first] : [first, last];
  }
}
