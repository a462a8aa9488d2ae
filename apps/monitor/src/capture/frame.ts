import type { Box } from '#libs/contracts/primitives.js';

/** Pixel size. */
export interface Size {
  width: number;
  height: number;
}

/** A rectangle of whole pixels. */
export interface Area extends Size {
  left: number;
  top: number;
}

/** How a detector wants its frames; a capture delivers exactly that. */
export interface FrameFormat extends Size {
  /**
   * `letterbox-top-left`: aspect kept, picture in the top left corner, the rest padded (YOLOX);
   * `letterbox-center`: aspect kept, padding on both sides (Ultralytics); `stretch`: aspect not kept (CenterNet).
   */
  fit: 'letterbox-top-left' | 'letterbox-center' | 'stretch';
  /** Grey level of the padding, 0 to 255. */
  pad: number;
}

/** One inspected moment of a stream. */
export interface CapturedFrame {
  /** Counts from 0 within one capture. */
  index: number;
  /** Presentation time in the source's own clock. */
  ptsMs: number;
  /** When its last byte arrived here, epoch ms. */
  receivedAt: number;
  /** Size of the source picture; boxes are in its pixels. */
  source: Size;
  /**
   * `width * height * 3` bytes in the asked {@link FrameFormat}: the planes green, blue, red (ffmpeg's `gbrp`), which is
   * what models want but for the order and turns into floats several times faster than interleaved pixels.
   */
  pixels: Buffer;
  /**
   * The clean picture as JPEG, for evidence. Scaled down when very wide, and of the first picture's size after the
   * source has changed its own: scale boxes by `jpeg size / source`, each axis by itself.
   */
  jpeg: Buffer;
}

/** Maps a box from pixels of the formatted frame back to pixels of the source, clipped to the picture. */
export function toSourceBox(box: Box, format: FrameFormat, source: Size): Box {
  const { scaleX, scaleY, offsetX, offsetY } = placement(format, source);
  const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);
  return [
    clip((box[0] - offsetX) / scaleX, source.width),
    clip((box[1] - offsetY) / scaleY, source.height),
    clip((box[2] - offsetX) / scaleX, source.width),
    clip((box[3] - offsetY) / scaleY, source.height),
  ];
}

/** Where the source picture lies inside the formatted frame: `formatted = source * scale + offset`. */
export function placement(
  format: FrameFormat,
  source: Size,
): { scaleX: number; scaleY: number; offsetX: number; offsetY: number } {
  if (format.fit === 'stretch') {
    return { scaleX: format.width / source.width, scaleY: format.height / source.height, offsetX: 0, offsetY: 0 };
  }
  const scale = Math.min(format.width / source.width, format.height / source.height);
  const centered = format.fit === 'letterbox-center';
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: centered ? Math.floor((format.width - scaled(source.width, scale)) / 2) : 0,
    offsetY: centered ? Math.floor((format.height - scaled(source.height, scale)) / 2) : 0,
  };
}

/** The part of the formatted frame that the picture fills; the rest is padding. */
export function pictureArea(format: FrameFormat, source: Size): Area {
  const { scaleX, scaleY, offsetX, offsetY } = placement(format, source);
  return {
    ...{ left: offsetX, top: offsetY },
    ...{ width: scaled(source.width, scaleX), height: scaled(source.height, scaleY) },
  };
}

/** A side of a very long picture would vanish. */
function scaled(side: number, scale: number): number {
  return Math.max(1, Math.round(side * scale));
}
