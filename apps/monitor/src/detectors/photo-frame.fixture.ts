import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { CapturedFrame, FrameFormat } from '../capture/frame.js';
import { frameOf } from '../inspections/picture-frame.js';

/** A photograph of a group of people that comes with a package of the project. */
export const groupPhoto = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
  'sample1.jpg',
);

/** A photograph as a captured frame of the asked format. */
export async function frameOfPhoto(path: string, format: FrameFormat): Promise<CapturedFrame> {
  const frame = await frameOf(path, format);
  return { index: 0, ptsMs: 0, receivedAt: 0, ...frame, jpeg: await sharp(path).jpeg().toBuffer() };
}
