/**
 * A rewritten text that knows where each of its units came from. For unit `i`, `starts[i]` and `ends[i]` are UTF-16
 * offsets in the original, and `marks[i]` the bits of the views that changed it. `runs[i]`, where present, says how
 * many equal units one unit stands for.
 */
export interface MappedText {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly marks: readonly number[];
  readonly runs?: readonly number[];
}

/** Puts a {@link MappedText} together from left to right. */
export class TextMapper {
  private text = '';
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly marks: number[] = [];

  /** Adds a piece, all of whose units stand for the original's `[start, end)`. */
  add(piece: string, start: number, end: number, mark = 0): void {
    this.text += piece;
    for (let unit = 0; unit < piece.length; unit++) {
      this.starts.push(start);
      this.ends.push(end);
      this.marks.push(mark);
    }
  }

  /** Adds unit `index` of another mapped text, perhaps written differently, and marks it. */
  copy(from: MappedText, index: number, piece = from.text.charAt(index), mark = 0): void {
    this.add(piece, from.starts[index] ?? 0, from.ends[index] ?? 0, (from.marks[index] ?? 0) | mark);
  }

  /** Lets the last unit also cover the original up to `end`. */
  extend(end: number): void {
    if (this.ends.length > 0) this.ends[this.ends.length - 1] = end;
  }

  /** What was put together. */
  done(): MappedText {
    return { text: this.text, starts: this.starts, ends: this.ends, marks: this.marks };
  }
}

/** A text mapped to itself. */
export function unmapped(text: string): MappedText {
  const starts = Array.from({ length: text.length }, (_, index) => index);
  return { text, starts, ends: starts.map((index) => index + 1), marks: new Array<number>(text.length).fill(0) };
}
