/**
 * Writes interleaved bytes (`height * width * 3`) as planes of floats `[3, height, width]`, each byte times `scale`.
 * The order of the channels stays.
 */
export function toPlanes(pixels: Uint8Array, scale: number, planes: Float32Array): void {
  const plane = planes.length / 3;
  for (let at = 0, from = 0; at < plane; at++, from += 3) {
    planes[at] = (pixels[from] ?? 0) * scale;
    planes[at + plane] = (pixels[from + 1] ?? 0) * scale;
    planes[at + 2 * plane] = (pixels[from + 2] ?? 0) * scale;
  }
}
