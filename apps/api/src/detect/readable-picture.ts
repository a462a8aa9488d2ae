import sharp from 'sharp';
import { INSPECTION_LIMITS } from '#libs/contracts/inspections.js';
import { recogniseContent } from '../attachments/recognise-content.js';
import { imageBroken, imageRefused, imageTooLarge } from './detect.errors.js';

/** Pixels of a picture that is read at most. */
const MOST_PIXELS = 40_000_000;
const PATIENCE_SECONDS = 10;
/** What transparent parts are shown on. */
const GREY = '#808080';

/** A picture as monitors take it. */
export interface ReadablePicture {
  /** Upright, its longer side no more than {@link INSPECTION_LIMITS}. */
  jpeg: Buffer;
  /** Pixels of the picture as it came, turned upright, and of the JPEG. */
  source: { width: number; height: number };
  sent: { width: number; height: number };
}

/**
 * Decodes a picture and writes it anew, no larger than a detector can make use of: what a monitor reads was made here.
 * @throws AppError `detect.image.refused`, `detect.image.too_large`, `detect.image.broken`.
 */
export async function readablePicture(bytes: Buffer): Promise<ReadablePicture> {
  if (recogniseContent(bytes)?.picture !== true) throw imageRefused();
  const { autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata().catch(broken);
  const { width, height } = autoOrient;
  if (width * height > MOST_PIXELS) throw imageTooLarge();
  const { edge } = INSPECTION_LIMITS;
  const { data, info } = await sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
    .timeout({ seconds: PATIENCE_SECONDS })
    .autoOrient()
    .resize({ width: edge, height: edge, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: GREY })
    .toColourspace('srgb')
    .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
    .toBuffer({ resolveWithObject: true })
    .catch(broken);
  if (data.length > INSPECTION_LIMITS.bytes) throw imageTooLarge();
  return { jpeg: data, source: { width, height }, sent: { width: info.width, height: info.height } };
}

function broken(error: unknown): never {
  throw imageBroken(error);
}
