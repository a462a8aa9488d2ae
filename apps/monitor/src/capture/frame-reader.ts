import { ByteReader, type ByteSource } from './ffmpeg-output.js';
import { pictureArea, type Area, type FrameFormat, type Size } from './frame.js';

/** Buffers that wait to be used again: one is filled while another is inspected. */
const MOST_SPARE = 2;
const PLANES = 3;

/**
 * Puts the pictures that ffmpeg scaled into frames with their padding. Frames that are handed back are used again:
 * half a megabyte of new memory each makes for a full collection of garbage every half a hundred frames.
 */
export class FrameReader {
  private readonly bytes: ByteReader;
  private area: Area = { left: 0, top: 0, width: 0, height: 0 };
  private spare: Buffer[] = [];
  /** Frames whose padding is that of {@link area}. */
  private lent = new WeakSet<Buffer>();
  private picture = Buffer.alloc(0);

  constructor(
    source: ByteSource,
    private readonly format: FrameFormat,
  ) {
    this.bytes = new ByteReader(source);
  }

  /** The frame of the next picture, of a source of this size; null at the end, an incomplete one is left out. */
  async next(source: Size): Promise<Buffer | null> {
    const { width, height, pad } = this.format;
    this.turnTo(pictureArea(this.format, source));
    const pixels = this.spare.pop() ?? Buffer.alloc(PLANES * width * height, pad);
    const whole = this.area.width === width ? await this.readPlanes(pixels) : await this.readRows(pixels);
    if (!whole) return null;
    this.lent.add(pixels);
    return pixels;
  }

  /** Hands a frame back that nobody looks at any more. */
  recycle(pixels: Buffer): void {
    if (this.lent.delete(pixels) && this.spare.length < MOST_SPARE) this.spare.push(pixels);
  }

  private turnTo(area: Area): void {
    const { left, top, width, height } = this.area;
    if (area.left === left && area.top === top && area.width === width && area.height === height) return;
    this.area = area;
    this.spare = [];
    this.lent = new WeakSet<Buffer>();
    this.picture = Buffer.alloc(area.width === this.format.width ? 0 : PLANES * area.width * area.height);
  }

  /** A picture as wide as the frame: the rows of a plane lie one after another in both. */
  private async readPlanes(pixels: Buffer): Promise<boolean> {
    const { width, height } = this.format;
    const size = this.area.height * width;
    for (let plane = 0; plane < PLANES; plane += 1) {
      const from = (plane * height + this.area.top) * width;
      if (!(await this.bytes.fill(pixels.subarray(from, from + size)))) return false;
    }
    return true;
  }

  private async readRows(pixels: Buffer): Promise<boolean> {
    if (!(await this.bytes.fill(this.picture))) return false;
    const { left, top, width, height } = this.area;
    for (let row = 0; row < PLANES * height; row += 1) {
      const line = Math.floor(row / height) * this.format.height + top + (row % height);
      this.picture.copy(pixels, line * this.format.width + left, row * width, (row + 1) * width);
    }
    return true;
  }
}
