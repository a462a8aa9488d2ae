import sharp from 'sharp';
import type { ContentKind } from './recognise-content.js';
import { pictureBroken, pictureTooLarge } from './attachments.errors.js';

/** Pixels of a picture that is read at most, all frames of a moving one together. */
const MOST_PIXELS = 40_000_000;
/** A kept picture is not wider or higher, in pixels. */
const MOST_EDGE = 4_096;
/** Frames of a moving picture that are kept at most. */
const MOST_FRAMES = 100;
const PATIENCE_SECONDS = 15;
/** Pictures that are worked on at once; the others wait their turn. */
const MOST_AT_ONCE = 2;

/** A picture made anew from its pixels. */
export interface CleanPicture {
  bytes: Buffer;
  width: number;
  height: number;
}

/**
 * Decodes pictures and writes them anew: what was hidden behind or beside the pixels (position, comments, a second
 * file) is gone, and sizes are bounded. Few at once: a picture of 40 million pixels takes 160 MB.
 */
export class PictureCleaner {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @throws AppError `attachment.picture.too_large`, `attachment.picture.broken`. */
  async clean(bytes: Buffer, kind: ContentKind): Promise<CleanPicture> {
    await this.turn();
    try {
      return await clean(bytes, kind);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    if (this.running >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
  }
}

async function clean(bytes: Buffer, { type }: ContentKind): Promise<CleanPicture> {
  const moving = type === 'image/gif' || type === 'image/webp';
  const { width = 0, height = 0, pages = 1 } = await sharp(bytes, { limitInputPixels: false }).metadata().catch(broken);
  const frames = moving ? Math.min(pages, MOST_FRAMES) : 1;
  if (width * height * frames > MOST_PIXELS) throw pictureTooLarge();
  const picture = sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error', pages: frames }).timeout({
    seconds: PATIENCE_SECONDS,
  });
  const upright = frames === 1 ? picture.autoOrient() : picture;
  const sized = upright.resize({ width: MOST_EDGE, height: MOST_EDGE, fit: 'inside', withoutEnlargement: true });
  const written = {
    'image/png': () => sized.png(),
    'image/jpeg': () => sized.jpeg({ quality: 90 }),
    'image/webp': () => sized.webp({ quality: 90 }),
    'image/gif': () => sized.gif(),
  };
  const write = Object.entries(written).find(([name]) => name === type)?.[1] ?? written['image/png'];
  const { data, info } = await write().toBuffer({ resolveWithObject: true }).catch(broken);
  return { bytes: data, width: info.width, height: info.pageHeight ?? info.height };
}

function broken(error: unknown): never {
  throw pictureBroken(error);
}
