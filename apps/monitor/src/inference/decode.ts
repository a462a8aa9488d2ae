import type { Size } from '../capture/frame.js';
import { candidateOf, suppress, type Candidate } from './candidates.js';
import type { Layout } from './layout.js';

/** Values of the outputs of a model by name, row-major. */
export type OutputValues = Readonly<Record<string, Float32Array>>;

/** Reads objects with a score of at least `minScore` out of a model's outputs; boxes in pixels of its input, best first. */
export function decode(
  layout: Layout,
  outputs: OutputValues,
  input: Size,
  classes: number,
  minScore: number,
): Candidate[] {
  if (layout.family === 'centernet') {
    return suppress(
      decodeCenterNet(
        layout,
        valuesOf(outputs, layout.scores),
        valuesOf(outputs, layout.sides),
        input,
        classes,
        minScore,
      ),
    );
  }
  const values = valuesOf(outputs, layout.output);
  if (layout.family === 'yolox') return suppress(decodeYolox(values, input, classes, minScore));
  if (layout.family === 'ultralytics-v5') return suppress(decodeV5(values, layout.rows, classes, minScore));
  return suppress(decodeV8(values, layout.rows, classes, minScore));
}

function valuesOf(outputs: OutputValues, name: string): Float32Array {
  const values = outputs[name];
  if (values === undefined) throw new Error(`The model gave no output "${name}".`);
  return values;
}

/**
 * YOLOX: cx = (x + column) * stride, w = exp(w) * stride; score = objectness * class, both already sigmoid.
 * Source: `demo_postprocess` of the YOLOX project.
 */
function decodeYolox(values: Float32Array, input: Size, classes: number, minScore: number): Candidate[] {
  const found: Candidate[] = [];
  const width = 5 + classes;
  let row = 0;
  for (const stride of [8, 16, 32]) {
    const columns = Math.floor(input.width / stride);
    const lines = Math.floor(input.height / stride);
    for (let line = 0; line < lines; line++) {
      for (let column = 0; column < columns; column++, row++) {
        const at = row * width;
        if (!((values[at + 4] ?? 0) >= minScore)) continue;
        const [classIndex, score] = best(values, at + 5, classes, values[at + 4] ?? 0, minScore);
        if (classIndex < 0) continue;
        const w = Math.exp(values[at + 2] ?? NaN) * stride;
        const h = Math.exp(values[at + 3] ?? NaN) * stride;
        const x = ((values[at] ?? NaN) + column) * stride;
        const y = ((values[at + 1] ?? NaN) + line) * stride;
        collect(found, candidateOf(classIndex, score, x - w / 2, y - h / 2, x + w / 2, y + h / 2));
      }
    }
  }
  return found;
}

/** Ultralytics v5: rows of cx, cy, w, h in input pixels, objectness, classes; score = objectness * class. */
function decodeV5(values: Float32Array, rows: number, classes: number, minScore: number): Candidate[] {
  const found: Candidate[] = [];
  for (let row = 0; row < rows; row++) {
    const at = row * (5 + classes);
    if (!((values[at + 4] ?? 0) >= minScore)) continue;
    const [classIndex, score] = best(values, at + 5, classes, values[at + 4] ?? 0, minScore);
    if (classIndex < 0) continue;
    collect(found, centered(classIndex, score, values, at, 1));
  }
  return found;
}

/** Ultralytics v8 and 11: as columns; cx, cy, w, h in input pixels, classes, no objectness. */
function decodeV8(values: Float32Array, rows: number, classes: number, minScore: number): Candidate[] {
  // Class by class, for memory is read in a row that way.
  const scores = new Float32Array(rows);
  const indices = new Int32Array(rows).fill(-1);
  for (let index = 0; index < classes; index++) {
    const from = (4 + index) * rows;
    for (let row = 0; row < rows; row++) {
      const score = values[from + row] ?? 0;
      if (score >= minScore && (score > (scores[row] ?? 0) || indices[row] === -1)) {
        scores[row] = score;
        indices[row] = index;
      }
    }
  }
  const found: Candidate[] = [];
  for (let row = 0; row < rows; row++) {
    const classIndex = indices[row] ?? -1;
    if (classIndex >= 0) collect(found, centered(classIndex, scores[row] ?? 0, values, row, rows));
  }
  return found;
}

/**
 * CenterNet: a cell that is the highest of its 3x3 neighbours is a centre; the sides lie `left, top, right, bottom`
 * input pixels away from it.
 */
function decodeCenterNet(
  { columns, rows }: { columns: number; rows: number },
  scores: Float32Array,
  sides: Float32Array,
  input: Size,
  classes: number,
  minScore: number,
): Candidate[] {
  const found: Candidate[] = [];
  const plane = columns * rows;
  const floor = Math.max(minScore, Number.MIN_VALUE);
  for (let index = 0; index < classes * plane; index++) {
    const score = scores[index] ?? 0;
    if (!(score >= floor)) continue;
    const cell = index % plane;
    const column = cell % columns;
    const line = (cell - column) / columns;
    if (!isPeak(scores, index, column, line, columns, rows)) continue;
    const x = (column * input.width) / columns;
    const y = (line * input.height) / rows;
    const side = (which: number): number => sides[which * plane + cell] ?? NaN;
    const classIndex = (index - cell) / plane;
    collect(found, candidateOf(classIndex, score, x - side(0), y - side(1), x + side(2), y + side(3)));
  }
  return found;
}

function isPeak(
  scores: Float32Array,
  index: number,
  column: number,
  line: number,
  columns: number,
  rows: number,
): boolean {
  const score = scores[index] ?? 0;
  for (let down = -1; down <= 1; down++) {
    for (let right = -1; right <= 1; right++) {
      const inside = column + right >= 0 && column + right < columns && line + down >= 0 && line + down < rows;
      if (inside && (scores[index + down * columns + right] ?? 0) > score) return false;
    }
  }
  return true;
}

/** The best class and its score, or -1 when none reaches `minScore`. Values that are no numbers never win. */
function best(
  values: Float32Array,
  from: number,
  classes: number,
  objectness: number,
  minScore: number,
): [classIndex: number, score: number] {
  let classIndex = -1;
  let top = -1;
  for (let index = 0; index < classes; index++) {
    const score = values[from + index] ?? 0;
    if (score > top) {
      top = score;
      classIndex = index;
    }
  }
  const score = top * objectness;
  return score >= minScore ? [classIndex, score] : [-1, 0];
}

function centered(classIndex: number, score: number, values: Float32Array, at: number, step: number): Candidate | null {
  const [x = NaN, y = NaN, w = NaN, h = NaN] = [
    values[at],
    values[at + step],
    values[at + 2 * step],
    values[at + 3 * step],
  ];
  return candidateOf(classIndex, score, x - w / 2, y - h / 2, x + w / 2, y + h / 2);
}

function collect(found: Candidate[], candidate: Candidate | null): void {
  if (candidate !== null) found.push(candidate);
}
