import { pictureArea, type Area, type FrameFormat, type Size } from '../capture/frame.js';

/** Order of the channels in a model's input. */
export type ChannelOrder = 'rgb' | 'bgr';

/** Where the planes of a captured frame (green, blue, red) go. */
const PLACES: Readonly<Record<ChannelOrder, readonly [green: number, blue: number, red: number]>> = {
  rgb: [1, 2, 0],
  bgr: [1, 0, 2],
};

/**
 * Turns the picture in the planes of a captured frame (green, blue, red; a byte a pixel) into planes of floats
 * `[3, height, width]` in the model's order, each byte times `scale`. What lies around the picture stays as it is.
 */
export function toPlanes(
  pixels: Uint8Array,
  order: ChannelOrder,
  scale: number,
  planes: Float32Array,
  { width, height }: Size,
  area: Area,
): void {
  const plane = width * height;
  // The rows of a picture as wide as the frame lie one after another.
  const [runs, length] = area.width === width ? [1, area.height * width] : [area.height, area.width];
  PLACES[order].forEach((place, from) => {
    for (let run = 0; run < runs; run++) {
      const at = (area.top + run) * width + area.left;
      const floats = planes.subarray(place * plane + at, place * plane + at + length);
      // `set` converts in native code, several times faster than a loop of ours.
      floats.set(pixels.subarray(from * plane + at, from * plane + at + length));
      if (scale === 1) continue;
      for (let index = 0; index < length; index++) floats[index] = (floats[index] ?? 0) * scale;
    }
  });
}

/** The input of a model, into which one captured frame after another is written. */
export class PictureInput {
  private source: Size = { width: 0, height: 0 };

  constructor(
    private readonly planes: Float32Array,
    private readonly format: FrameFormat,
    private readonly order: ChannelOrder,
    private readonly scale: number,
  ) {}

  /** Writes a frame over the one before; its padding only when that was of a source of another size. */
  show(pixels: Uint8Array, source: Size): void {
    const { planes, format, order, scale } = this;
    const { width, height } = this.source;
    if (source.width !== width || source.height !== height) planes.fill(format.pad * scale);
    this.source = source;
    toPlanes(pixels, order, scale, planes, format, pictureArea(format, source));
  }
}
