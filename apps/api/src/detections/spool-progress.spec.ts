import { contiguous } from './spool-progress.repository.js';

const from = (floor: number, ...seqs: number[]): { seq: number; floor: number }[] =>
  seqs.map((seq) => ({ seq, floor }));

describe('how far a spool is committed', () => {
  it.each([
    ['moves over a run without a gap', 0, from(1, 1, 2, 3), 3],
    ['stops before a gap', 0, from(1, 1, 2, 4, 5), 2],
    ['does not start behind a gap', 3, from(1, 5, 6), 3],
    ['takes numbers in any order and twice', 1, from(1, 4, 3, 3, 2), 4],
    ['never goes back', 9, from(1, 1, 2), 9],
    ['counts what lies below the floor: it will never come', 2, from(6, 6, 7), 7],
    ['stays where the floor is when what comes next is missing', 2, from(6, 9), 5],
  ])('%s', (_what, committed, origins, expected) => {
    expect(contiguous(committed, origins)).toBe(expected);
  });
});
