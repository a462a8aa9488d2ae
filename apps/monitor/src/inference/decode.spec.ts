import { maxObjects, overlap, suppress, type Candidate } from './candidates.js';
import { decode } from './decode.js';
import type { Layout } from './layout.js';

const input = { width: 64, height: 64 };
const classes = 3;
const found = (layout: Layout, values: Float32Array, minScore = 0.3): Candidate[] =>
  decode(layout, { output: values }, input, classes, minScore);

describe('YOLOX outputs', () => {
  const layout: Layout = { family: 'yolox', output: 'output', rows: 84 };
  /** Row of a cell; the grids of strides 8, 16 and 32 follow one another. */
  const row = (stride: 8 | 16 | 32, column: number, line: number): number =>
    ({ 8: 0, 16: 64, 32: 80 })[stride] + line * (64 / stride) + column;
  const cell = (values: Float32Array, at: number, numbers: number[]): void => values.set(numbers, at * (5 + classes));

  it('are decoded by the grid and stride of each cell', () => {
    const values = new Float32Array(84 * 8);
    cell(values, row(8, 2, 3), [0.5, 0.25, Math.log(2), Math.log(1), 0.9, 0, 0.8, 0.1]);
    cell(values, row(32, 1, 1), [0, 0, Math.log(0.5), Math.log(1), 1, 0.6, 0, 0]);
    const [first, second, ...rest] = found(layout, values);
    expect(rest).toEqual([]);
    expect(first).toEqual({ classIndex: 1, score: expect.closeTo(0.72, 5), box: [12, 22, 28, 30].map(close) });
    expect(second).toEqual({ classIndex: 0, score: expect.closeTo(0.6, 5), box: [24, 16, 40, 48].map(close) });
  });

  it('leave out what scores less than asked', () => {
    const values = new Float32Array(84 * 8);
    cell(values, 5, [0, 0, 0, 0, 0.7, 0.7, 0, 0]);
    expect(found(layout, values, 0.5)).toEqual([]);
    expect(found(layout, values, 0.48)).toHaveLength(1);
  });

  it('may hold numbers that are none', () => {
    const values = new Float32Array(84 * 8).fill(NaN);
    cell(values, 1, [0, 0, Infinity, 0, 1, 1, 0, 0]);
    cell(values, 2, [NaN, 0, 0, 0, 1, 1, 0, 0]);
    cell(values, 3, [0, 0, 0, 0, 1, NaN, 0.9, NaN]);
    cell(values, 4, [0, 0, 0, 0, Infinity, Infinity, 0, 0]);
    expect(found(layout, values, 0)).toEqual([{ classIndex: 1, score: close(0.9), box: [20, -4, 28, 4] }]);
  });
});

describe('Ultralytics outputs', () => {
  it('of v5 are rows with objectness', () => {
    const values = new Float32Array(252 * 8);
    values.set([30, 20, 10, 8, 0.5, 0.1, 0.2, 0.9], 100 * 8);
    const layout: Layout = { family: 'ultralytics-v5', output: 'output', rows: 252 };
    expect(found(layout, values)).toEqual([{ classIndex: 2, score: close(0.45), box: [25, 16, 35, 24] }]);
  });

  it('of v8 are columns without objectness', () => {
    const values = new Float32Array(7 * 84);
    [30, 20, 10, 8, 0.1, 0.6, 0.2].forEach((value, line) => (values[line * 84 + 50] = value));
    const layout: Layout = { family: 'ultralytics-v8', output: 'output', rows: 84 };
    expect(found(layout, values)).toEqual([{ classIndex: 1, score: close(0.6), box: [25, 16, 35, 24] }]);
    expect(found(layout, new Float32Array(7 * 84).fill(NaN), 0)).toEqual([]);
  });
});

describe('CenterNet outputs', () => {
  const layout: Layout = { family: 'centernet', scores: 'scores', sides: 'sides', columns: 16, rows: 16 };
  const run = (scores: Float32Array, sides: Float32Array, minScore = 0.3): Candidate[] =>
    decode(layout, { scores, sides }, input, classes, minScore);

  it('are peaks with the distances to four sides', () => {
    const scores = new Float32Array(3 * 256);
    const sides = new Float32Array(4 * 256);
    const peak = 5 * 16 + 8;
    scores[2 * 256 + peak] = 0.8;
    scores[2 * 256 + peak + 1] = 0.7;
    scores[2 * 256 + peak + 16] = 0.6;
    [4, 8, 12, 16].forEach((distance, side) => (sides[side * 256 + peak] = distance));
    expect(run(scores, sides)).toEqual([{ classIndex: 2, score: close(0.8), box: [28, 12, 44, 36] }]);
  });

  it('at the edge of the picture are compared with the neighbours that exist', () => {
    const scores = new Float32Array(3 * 256);
    const sides = new Float32Array(4 * 256).fill(4);
    scores[16] = 0.6;
    // The last cell of the line above is the next in memory, but no neighbour.
    scores[15] = 0.9;
    const boxes = run(scores, sides).map(({ box }) => box);
    expect(boxes).toEqual([
      [56, -4, 64, 4],
      [-4, 0, 4, 8],
    ]);
  });

  it('may hold numbers that are none', () => {
    expect(run(new Float32Array(768).fill(NaN), new Float32Array(1024).fill(NaN), 0)).toEqual([]);
    expect(run(new Float32Array(768).fill(Infinity), new Float32Array(1024).fill(1), 0)).toEqual([]);
  });
});

describe('suppression', () => {
  const candidate = (classIndex: number, score: number, x: number): Candidate => ({
    classIndex,
    score,
    box: [x, 0, x + 10, 10],
  });

  it('drops the weaker of two boxes of a class that overlap, and keeps those of different classes', () => {
    const strong = candidate(0, 0.9, 0);
    const weak = candidate(0, 0.8, 2);
    const apart = candidate(0, 0.7, 5);
    const other = candidate(1, 0.6, 0);
    expect(suppress([weak, other, apart, strong])).toEqual([strong, apart, other]);
  });

  it('measures overlap as intersection over union', () => {
    expect(overlap([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3);
    expect(overlap([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
  });

  it('is bounded however many candidates there are', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => candidate(0, index / 20_000, index * 20));
    const kept = suppress(many);
    expect(kept).toHaveLength(maxObjects);
    expect(kept[0]?.score).toBeCloseTo(1, 3);
  });
});

function close(value: number): unknown {
  return expect.closeTo(value, 4);
}
