/** Order of the channels in a model's input. */
export type ChannelOrder = 'rgb' | 'bgr';

/** Where the planes of a captured frame (green, blue, red) go. */
const PLACES: Readonly<Record<ChannelOrder, readonly [green: number, blue: number, red: number]>> = {
  rgb: [1, 2, 0],
  bgr: [1, 0, 2],
};

/**
 * Turns the planes of a captured frame (green, blue, red; a byte a pixel) into planes of floats `[3, height, width]` in
 * the model's order, each byte times `scale`.
 */
export function toPlanes(pixels: Uint8Array, order: ChannelOrder, scale: number, planes: Float32Array): void {
  const plane = planes.length / 3;
  PLACES[order].forEach((place, from) => {
    // `set` converts in native code, several times faster than a loop of ours.
    planes.set(pixels.subarray(from * plane, (from + 1) * plane), place * plane);
  });
  if (scale === 1) return;
  for (let at = 0; at < planes.length; at++) planes[at] = (planes[at] ?? 0) * scale;
}
