import { endianness } from 'node:os';

const littleEndian = endianness() === 'LE';

/**
 * Writes interleaved bytes (`height * width * 3`) as planes of floats `[3, height, width]`, each byte times `scale`.
 * The order of the channels stays.
 */
export function toPlanes(pixels: Uint8Array, scale: number, planes: Float32Array): void {
  const plane = planes.length / 3;
  const first = planes.subarray(0, plane);
  const second = planes.subarray(plane, 2 * plane);
  const third = planes.subarray(2 * plane);
  const whole = littleEndian && pixels.byteOffset % 4 === 0 ? plane - (plane % 4) : 0;
  // Three words hold four pixels: one read where bytes would take four; measured, it halves the time.
  const words = new Uint32Array(pixels.buffer, whole === 0 ? 0 : pixels.byteOffset, (whole * 3) / 4);
  for (let at = 0, from = 0; at < whole; at += 4, from += 3) {
    const a = words[from] ?? 0;
    const b = words[from + 1] ?? 0;
    const c = words[from + 2] ?? 0;
    first[at] = (a & 255) * scale;
    second[at] = ((a >>> 8) & 255) * scale;
    third[at] = ((a >>> 16) & 255) * scale;
    first[at + 1] = (a >>> 24) * scale;
    second[at + 1] = (b & 255) * scale;
    third[at + 1] = ((b >>> 8) & 255) * scale;
    first[at + 2] = ((b >>> 16) & 255) * scale;
    second[at + 2] = (b >>> 24) * scale;
    third[at + 2] = (c & 255) * scale;
    first[at + 3] = ((c >>> 8) & 255) * scale;
    second[at + 3] = ((c >>> 16) & 255) * scale;
    third[at + 3] = (c >>> 24) * scale;
  }
  for (let at = whole, from = whole * 3; at < plane; at++, from += 3) {
    first[at] = (pixels[from] ?? 0) * scale;
    second[at] = (pixels[from + 1] ?? 0) * scale;
    third[at] = (pixels[from + 2] ?? 0) * scale;
  }
}
