import type { Size } from '../capture/frame.js';

/** How a frame differs from the last one that was inspected. */
export type Change = 'still' | 'moved' | 'cut';

/** Samples across the small picture, and along the side of a block of it. */
const [SAMPLES, BLOCK] = [104, 8];
/** Mean difference of a block that is motion, and that is another scene, levels of 255: noise and coding stay below. */
const [MOTION, SCENE] = [5, 12];
/** Part of the blocks that must differ for another scene; up to half of a frame is padding, which never does. */
const CUT_PART = 0.3;

/**
 * Tells whether a frame shows anything that the last inspected one did not, from a small picture of its brightness: the
 * green plane, which carries most of it, at every fourth pixel or so. About 11 kB and 20 µs a frame.
 */
export class MotionGate {
  private reference: Uint8Array | null = null;
  private candidate: Uint8Array = new Uint8Array(0);

  /** Compares a frame with the one that was kept last; the first of all is a cut. @param pixels planes, green first */
  look(pixels: Uint8Array, { width, height }: Size): Change {
    const step = Math.max(1, Math.round(width / SAMPLES));
    const columns = Math.floor(width / step);
    const rows = Math.floor(height / step);
    if (this.candidate.length !== columns * rows) {
      this.candidate = new Uint8Array(columns * rows);
      this.reference = null;
    }
    const { candidate, reference } = this;
    const across = Math.ceil(columns / BLOCK);
    const sums = new Uint32Array(across * Math.ceil(rows / BLOCK));
    for (let row = 0, at = 0; row < rows; row++) {
      const line = row * step * width;
      const blocks = Math.floor(row / BLOCK) * across;
      for (let column = 0; column < columns; column++, at++) {
        const level = pixels[line + column * step] ?? 0;
        candidate[at] = level;
        if (reference !== null) {
          const block = blocks + ((column / BLOCK) | 0);
          sums[block] = (sums[block] ?? 0) + Math.abs(level - (reference[at] ?? 0));
        }
      }
    }
    if (reference === null) return 'cut';
    const area = BLOCK * BLOCK;
    let moved = 0;
    let other = 0;
    for (const sum of sums) {
      if (sum >= MOTION * area) moved += 1;
      if (sum >= SCENE * area) other += 1;
    }
    if (other >= sums.length * CUT_PART) return 'cut';
    return moved > 0 ? 'moved' : 'still';
  }

  /** The frame that was looked at last is the one to compare with. */
  keep(): void {
    const spare = this.reference;
    this.reference = this.candidate;
    this.candidate = spare ?? new Uint8Array(this.reference.length);
  }
}
