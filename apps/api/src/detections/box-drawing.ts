import sharp from 'sharp';
import type { DetectedObject } from '#libs/contracts/primitives.js';

/** Boxes drawn at most. */
const MOST_BOXES = 300;
/** Largest picture that is drawn on, pixels. */
const MOST_PIXELS = 50_000_000;
const COLOR = '#ffd400';

/** Text for XML, without what XML 1.0 cannot hold. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

/** The overlay of a frame: a box with label and score for each object, as SVG of the frame's size. */
export function overlaySvg(frame: { width: number; height: number }, objects: readonly DetectedObject[]): string {
  const line = Math.max(2, Math.round(Math.min(frame.width, frame.height) / 200));
  const text = line * 7;
  const shapes = objects.slice(0, MOST_BOXES).map(({ label, score, box: [x1, y1, x2, y2] }) => {
    const caption = `${label.slice(0, 40)} ${score.toFixed(2)}`;
    const width = Math.round(caption.length * text * 0.62 + text * 0.6);
    const height = Math.round(text * 1.4);
    // The caption stands on the box, or within it where there is no room above.
    const top = y1 >= height ? y1 - height : y1;
    return (
      `<rect x="${n(x1)}" y="${n(y1)}" width="${n(x2 - x1)}" height="${n(y2 - y1)}" ` +
      `fill="none" stroke="${COLOR}" stroke-width="${n(line)}"/>` +
      `<rect x="${n(x1)}" y="${n(top)}" width="${n(width)}" height="${n(height)}" fill="${COLOR}"/>` +
      `<text x="${n(x1 + text * 0.3)}" y="${n(top + text)}" font-family="sans-serif" font-size="${n(text)}" ` +
      `fill="#000">${escapeXml(caption)}</text>`
    );
  });
  const size = `width="${n(frame.width)}" height="${n(frame.height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${shapes.join('')}</svg>`;
}

/**
 * Draws boxes over a clean frame.
 * @returns a JPEG of the same size.
 * @throws when the picture cannot be decoded.
 */
export async function drawBoxes(
  jpeg: Uint8Array,
  frame: { width: number; height: number },
  objects: readonly DetectedObject[],
): Promise<Buffer> {
  const picture = sharp(jpeg, { limitInputPixels: MOST_PIXELS });
  const { width, height } = await picture.metadata();
  // The boxes are in pixels of the source frame; the picture may have been stored smaller.
  const scaled = objects.map((object) => {
    const [x1, y1, x2, y2] = object.box;
    const [x, y] = [width / frame.width, height / frame.height];
    return { ...object, box: [x1 * x, y1 * y, x2 * x, y2 * y] as typeof object.box };
  });
  return picture
    .composite([{ input: Buffer.from(overlaySvg({ width, height }, scaled)), top: 0, left: 0 }])
    .jpeg({ quality: 88 })
    .toBuffer();
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
