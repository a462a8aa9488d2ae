/** Samples a second of all sound in this room; mono, 16 bit. */
export const SAMPLE_RATE = 16_000;

/** Samples that the voice detector looks at together (Silero at 16 kHz); 32 ms. */
export const FRAME_SAMPLES = 512;

/** Length of one frame, ms. */
export const FRAME_MS = (FRAME_SAMPLES * 1_000) / SAMPLE_RATE;

/** A piece of sound with its place in the stream. */
export interface SoundPiece {
  /** Stream time of its first sample, ms. */
  startMs: number;
  /** 16 kHz, mono. */
  samples: Int16Array;
}

/** A jump of stream time beyond this is a gap in the sound, not a rounding of time stamps, ms. */
const GAP_MS = 250;

/** Samples of little-endian 16-bit bytes; an odd last byte is left out. */
export function samplesOf(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(index * 2, true);
  return samples;
}

/** Little-endian bytes of samples, whatever the machine's own order. */
export function bytesOf(samples: Int16Array): Buffer {
  const bytes = Buffer.allocUnsafe(samples.length * 2);
  samples.forEach((sample, index) => bytes.writeInt16LE(sample, index * 2));
  return bytes;
}

/** Level of samples in dBFS by root mean square: 0 is a full-scale square wave; -Infinity for digital silence. */
export function levelOf(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return samples.length === 0 ? -Infinity : 10 * Math.log10(energy / samples.length / 32_768 ** 2);
}

/** Length of samples, ms. */
export function durationOf(samples: Int16Array): number {
  return (samples.length * 1_000) / SAMPLE_RATE;
}

/** Cuts pieces of any length into frames of {@link FRAME_SAMPLES}; a gap of stream time starts a frame anew. */
export class FrameCutter {
  private rest = new Int16Array(FRAME_SAMPLES);
  private filled = 0;
  private restStartMs = 0;

  /** The frames that a piece completes. */
  push({ startMs, samples }: SoundPiece): SoundPiece[] {
    const expected = this.restStartMs + (this.filled * 1_000) / SAMPLE_RATE;
    if (this.filled === 0 || Math.abs(startMs - expected) > GAP_MS) {
      this.filled = 0;
      this.restStartMs = startMs;
    }
    const frames: SoundPiece[] = [];
    for (let offset = 0; offset < samples.length;) {
      const taken = Math.min(FRAME_SAMPLES - this.filled, samples.length - offset);
      this.rest.set(samples.subarray(offset, offset + taken), this.filled);
      offset += taken;
      this.filled += taken;
      if (this.filled < FRAME_SAMPLES) break;
      frames.push({ startMs: this.restStartMs, samples: this.rest });
      this.rest = new Int16Array(FRAME_SAMPLES);
      this.filled = 0;
      this.restStartMs += FRAME_MS;
    }
    return frames;
  }
}

/** Whether a frame that starts at `startMs` follows one that ended at `endMs`. */
export function follows(startMs: number, endMs: number): boolean {
  return Math.abs(startMs - endMs) <= GAP_MS;
}
