/**
 * The transitions of a trie as one table (a double array, Aoe 1989): a state is a slot; from slot `s` class `k` leads
 * to slot `base(s) + k` if that slot's check says `s`. Two numbers per slot: `base × 2 + hasOutput`, then `check`.
 */
export class DoubleArray {
  cells = new Int32Array(2 * 1_024).fill(-1);
  /** For each slot, itself when free, else where to look for the next free one. */
  private free = new Int32Array(1_024).map((_, slot) => slot);
  private highest = 0;

  constructor() {
    this.occupy(0, -2);
  }

  /** Slots in use or reserved, all reachable reads included once {@link trim} was called. */
  get size(): number {
    return this.highest + 1;
  }

  /**
   * Finds room for a state's children and takes it.
   *
   * @param classes of the children, ascending, from 1
   * @returns the state's base
   */
  place(state: number, classes: readonly number[]): number {
    const first = classes[0] ?? 1;
    let slot = this.nextFree(first + 1);
    // A few tries keep the table dense; past them, room at the end keeps the build linear.
    for (let attempt = 0; attempt < 24; attempt++) {
      if (this.fits(slot - first, classes)) break;
      slot = attempt === 22 ? this.nextFree(this.highest + 1 + first) : this.nextFree(slot + 1);
    }
    const base = slot - first;
    const marked = (this.cells[2 * state] ?? -1) === 1 ? 1 : 0;
    this.cells[2 * state] = base * 2 + marked;
    for (const each of classes) this.occupy(base + each, state);
    return base;
  }

  /** Marks a state whose arrival is to be reported. */
  markOutput(state: number): void {
    const cell = this.cells[2 * state] ?? 0;
    this.cells[2 * state] = cell < 0 ? 1 : cell | 1;
  }

  /** The table, long enough that no transition reads beyond it. */
  trim(classes: number): Int32Array {
    const cells = new Int32Array(2 * (this.highest + classes + 2)).fill(-1);
    cells.set(this.cells.subarray(0, 2 * (this.highest + 1)));
    for (let slot = 0; slot <= this.highest; slot++) {
      const cell = cells[2 * slot] ?? 0;
      if (cell === -1) cells[2 * slot] = 0;
    }
    return cells;
  }

  private fits(base: number, classes: readonly number[]): boolean {
    for (const each of classes) if (this.nextFree(base + each) !== base + each) return false;
    return true;
  }

  private nextFree(from: number): number {
    let slot = from;
    for (;;) {
      if (slot >= this.free.length) this.grow(slot);
      const next = this.free[slot] ?? slot;
      if (next === slot) return slot;
      if (next < this.free.length) this.free[slot] = this.free[next] ?? next;
      slot = next;
    }
  }

  private occupy(slot: number, check: number): void {
    if (slot >= this.free.length) this.grow(slot);
    this.free[slot] = slot + 1;
    this.cells[2 * slot + 1] = check;
    if (slot > this.highest) this.highest = slot;
  }

  private grow(slot: number): void {
    const size = Math.max(slot + 1, this.free.length * 2);
    const free = new Int32Array(size);
    free.set(this.free);
    for (let index = this.free.length; index < size; index++) free[index] = index;
    this.free = free;
    const cells = new Int32Array(2 * size).fill(-1);
    cells.set(this.cells);
    this.cells = cells;
  }
}
