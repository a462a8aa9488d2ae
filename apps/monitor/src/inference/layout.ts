import type { ChannelOrder } from './pixels.js';
import { AppError } from '#libs/errors/app-error.js';
import type { FrameFormat, Size } from '../capture/frame.js';

/** Name and sides of one output of a model. */
export interface OutputShape {
  name: string;
  dims: readonly number[];
}

/** How the outputs of a model are to be read. */
export type Layout =
  /** `[1, N, 5 + classes]`, undecoded, N cells of strides 8, 16 and 32. */
  | { family: 'yolox'; output: string; rows: number }
  /** `[1, N, 5 + classes]`: cx, cy, w, h, objectness, classes; decoded, three anchors a cell. */
  | { family: 'ultralytics-v5'; output: string; rows: number }
  /** `[1, 4 + classes, N]`: cx, cy, w, h, classes; decoded, no objectness. */
  | { family: 'ultralytics-v8'; output: string; rows: number }
  /** Centre scores `[1, classes, h, w]` and distances to the four sides `[1, 4, h, w]`. */
  | { family: 'centernet'; scores: string; sides: string; columns: number; rows: number };

/** What is understood, for messages. */
const understood =
  'YOLOX [1, N, 5+classes], Ultralytics v5 [1, N, 5+classes], Ultralytics v8 and 11 [1, 4+classes, N] ' +
  '(exported without built-in NMS), CenterNet [1, classes, h, w] with [1, 4, h, w]';

/**
 * Tells how to read a model from the shapes of its outputs; the number of labels decides where shapes alone do not.
 * @throws AppError `model.unknown_layout`
 */
export function recognizeLayout(outputs: readonly OutputShape[], input: Size, classes: number): Layout {
  const layout = recognizeCenterNet(outputs, input, classes) ?? recognizeRows(outputs, input, classes);
  if (layout !== null) return layout;
  const seen = outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join('; ') || 'none';
  throw new AppError(
    'model.unknown_layout',
    'user',
    `The outputs of the model are not understood: ${seen}, with ${classes} labels and input ` +
      `${input.width}x${input.height}. Understood are ${understood}. ` +
      'Check that the label file has one line for each class of the model, or export the model anew.',
    { outputs, classes },
  );
}

function recognizeRows(outputs: readonly OutputShape[], input: Size, classes: number): Layout | null {
  const flat = outputs.filter(({ dims }) => dims.length === 3);
  const [output] = flat;
  if (output === undefined || flat.length !== 1) return null;
  const [batch = 0, middle = 0, last = 0] = output.dims;
  if (batch !== 1) return null;
  if (last === 5 + classes) {
    if (middle === cells(input, [8, 16, 32])) return { family: 'yolox', output: output.name, rows: middle };
    const anchors = [cells(input, [8, 16, 32]) * 3, cells(input, [8, 16, 32, 64]) * 3];
    if (anchors.includes(middle)) return { family: 'ultralytics-v5', output: output.name, rows: middle };
  }
  // Fewer than 21 cells would be an input below 32 pixels; a box list with NMS inside is [1, 300, 6].
  if (middle === 4 + classes && last >= 21) return { family: 'ultralytics-v8', output: output.name, rows: last };
  return null;
}

function recognizeCenterNet(outputs: readonly OutputShape[], input: Size, classes: number): Layout | null {
  const maps = outputs.filter(({ dims }) => dims.length === 4 && dims[0] === 1);
  const sides = maps.find(({ dims }) => dims[1] === 4);
  const scores = maps.find((map) => map !== sides && map.dims[1] === classes);
  const [, , rows = 0, columns = 0] = scores?.dims ?? [];
  if (maps.length !== 2 || scores === undefined || sides === undefined) return null;
  if (sides.dims[2] !== rows || sides.dims[3] !== columns) return null;
  if (rows === 0 || columns === 0 || input.width % columns !== 0 || input.height % rows !== 0) return null;
  return { family: 'centernet', scores: scores.name, sides: sides.name, columns, rows };
}

/** Number of cells of a pyramid of grids over the input. */
export function cells({ width, height }: Size, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + Math.floor(width / stride) * Math.floor(height / stride), 0);
}

/** How the pictures of a family must be prepared, per the reference code of each. */
export function frameFormatOf(layout: Layout, { width, height }: Size): FrameFormat {
  if (layout.family === 'yolox') return { width, height, fit: 'letterbox-top-left', pad: 114 };
  if (layout.family === 'centernet') return { width, height, fit: 'stretch', pad: 0 };
  return { width, height, fit: 'letterbox-center', pad: 114 };
}

/** In which order the model wants the channels. */
export function channelOrderOf(layout: Layout): ChannelOrder {
  return layout.family === 'yolox' ? 'bgr' : 'rgb';
}

/** What a byte of a pixel is multiplied with before inference. */
export function pixelScaleOf(layout: Layout): number {
  return layout.family === 'yolox' || layout.family === 'centernet' ? 1 : 1 / 255;
}

/**
 * Size of the input from the model's own description; open sides are filled with `fallback`.
 * @throws AppError `model.unknown_layout` for anything but one picture `[1, 3, height, width]` of float32
 */
export function inputSizeOf(type: string, dims: readonly (number | string)[], fallback: number): Size {
  const [batch, channels, height, width] = dims;
  const side = (dim: number | string | undefined): number =>
    typeof dim === 'number' && Number.isInteger(dim) && dim > 0 ? dim : fallback;
  const open = (dim: number | string | undefined): boolean => typeof dim !== 'number' || dim <= 0;
  const size = { width: side(width), height: side(height) };
  const pictures = dims.length === 4 && (open(batch) || batch === 1) && (open(channels) || channels === 3);
  if (type === 'float32' && pictures && Math.max(size.width, size.height) <= 2048) return size;
  throw new AppError(
    'model.unknown_layout',
    'user',
    `The input of the model is ${type} [${dims.join(', ')}]; understood is one picture, float32 [1, 3, height, width] ` +
      'of at most 2048 pixels a side. Export the model anew with batch 1 and float32.',
    { type, dims },
  );
}

/** Whether a side of the picture is left open by the model. */
export function hasOpenSides(dims: readonly (number | string)[]): boolean {
  return dims.slice(2).some((dim) => typeof dim !== 'number' || dim <= 0);
}
