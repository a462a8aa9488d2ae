import sharp from 'sharp';
import { pictureArea, type CapturedFrame, type FrameFormat } from '../capture/frame.js';

/** Pixels of a picture that is read at most. */
const MOST_PIXELS = 40_000_000;
const PATIENCE_SECONDS = 15;

/**
 * A picture as a detector wants its frames: scaled, padded, as the planes green, blue and red.
 * @param picture bytes or a path
 * @throws Error for what is no picture, is broken or too large.
 */
export async function frameOf(
  picture: Buffer | string,
  format: FrameFormat,
): Promise<Pick<CapturedFrame, 'pixels' | 'source'>> {
  const image = sharp(picture, { limitInputPixels: MOST_PIXELS, failOn: 'error' });
  const { width, height } = await image.metadata();
  const area = pictureArea(format, { width, height });
  const interleaved = await image
    .timeout({ seconds: PATIENCE_SECONDS })
    .toColourspace('srgb')
    .removeAlpha()
    .resize({ width: area.width, height: area.height, fit: 'fill', kernel: 'linear' })
    .extend({
      left: area.left,
      top: area.top,
      right: format.width - area.width - area.left,
      bottom: format.height - area.height - area.top,
      background: { r: format.pad, g: format.pad, b: format.pad },
    })
    .raw()
    .toBuffer();
  const plane = format.width * format.height;
  const pixels = Buffer.alloc(3 * plane);
  for (let at = 0; at < plane; at += 1) {
    pixels[at] = interleaved[3 * at + 1] ?? 0;
    pixels[plane + at] = interleaved[3 * at + 2] ?? 0;
    pixels[2 * plane + at] = interleaved[3 * at] ?? 0;
  }
  return { source: { width, height }, pixels };
}
