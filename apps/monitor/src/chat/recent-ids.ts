/** Remembers the newest of the ids it was shown, so that what comes twice is known. */
export class RecentIds {
  private readonly ids = new Set<string>();

  /** @param limit so many are remembered */
  constructor(private readonly limit: number) {}

  /** Whether an id is new; it is not from then on. Asking renews it. */
  add(id: string): boolean {
    const known = this.ids.delete(id);
    this.ids.add(id);
    if (this.ids.size > this.limit) {
      const [oldest] = this.ids;
      if (oldest !== undefined) this.ids.delete(oldest);
    }
    return !known;
  }
}
