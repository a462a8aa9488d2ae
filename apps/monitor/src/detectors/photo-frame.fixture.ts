import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { placement, type CapturedFrame, type FrameFormat } from '../capture/frame.js';

/** A photograph of a group of people that comes with a package of the project. */
export const groupPhoto = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
  'sample1.jpg',
);

/** A photograph as a captured frame of the asked format. */
export async function frameOfPhoto(path: string, format: FrameFormat): Promise<CapturedFrame> {
  const picture = sharp(path);
  const { width, height } = await picture.metadata();
  const source = { width, height };
  const { scaleX, scaleY, offsetX, offsetY } = placement(format, source);
  const inner = { width: Math.round(width * scaleX), height: Math.round(height * scaleY) };
  const interleaved = await picture
    .clone()
    .removeAlpha()
    .resize({ ...inner, fit: 'fill', kernel: 'linear' })
    .extend({
      left: offsetX,
      top: offsetY,
      right: format.width - inner.width - offsetX,
      bottom: format.height - inner.height - offsetY,
      background: { r: format.pad, g: format.pad, b: format.pad },
    })
    .raw()
    .toBuffer();
  const plane = format.width * format.height;
  const pixels = Buffer.alloc(3 * plane);
  for (let at = 0; at < plane; at += 1) {
    [1, 2, 0].forEach((channel, place) => (pixels[place * plane + at] = interleaved[3 * at + channel] ?? 0));
  }
  return { index: 0, ptsMs: 0, receivedAt: 0, source, pixels, jpeg: await picture.jpeg().toBuffer() };
}
