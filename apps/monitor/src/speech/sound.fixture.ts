import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, type SoundPiece } from './pcm.js';
import type { Utterance } from './utterance-cutter.js';

/** Sound made of a formula: `wave` gives -1 to 1 for a moment in seconds. */
export function made(seconds: number, wave: (at: number) => number): Int16Array {
  return Int16Array.from({ length: Math.round(seconds * SAMPLE_RATE) }, (_, index) =>
    Math.round(Math.max(-1, Math.min(1, wave(index / SAMPLE_RATE))) * 32_767),
  );
}

/** A chord of sines with a slow beat, as music goes. */
export function chords(at: number): number {
  const roots = [220, 174.61, 261.63, 196];
  const root = roots[Math.floor(at) % roots.length] ?? 220;
  const beat = 0.6 + 0.4 * Math.cos(2 * Math.PI * 2 * at);
  return [1, 1.26, 1.5, 2].reduce((sum, ratio) => sum + 0.12 * Math.sin(2 * Math.PI * root * ratio * at), 0) * beat;
}

/** Frames of silence with a time each. */
export function frames(count: number, startMs = 0): SoundPiece[] {
  return Array.from({ length: count }, (_, index) => ({
    startMs: startMs + index * FRAME_MS,
    samples: new Int16Array(FRAME_SAMPLES),
  }));
}

/** An utterance of so many seconds. */
export function utteranceOf(seconds: number, startMs = 0): Utterance {
  const endMs = startMs + seconds * 1_000;
  const pcm = new Int16Array(seconds * SAMPLE_RATE);
  return { startMs, endMs, pcm, vadMean: 0.9, voiced: { startMs, endMs } };
}
