import { BorderStitcher } from './border-stitcher.js';

const said = (startMs: number, endMs: number, text: string) => ({ startMs, endMs, text });

describe('BorderStitcher', () => {
  it('carries one word less than the longest phrase across a short gap', () => {
    const stitcher = new BorderStitcher(3);
    expect(stitcher.stitch(said(0, 1_000, 'go and buy free'))).toEqual({ text: 'go and buy free', offset: 0 });
    const next = stitcher.stitch(said(2_999, 4_000, 'crypto now'));
    expect(next).toEqual({ text: 'buy free crypto now', offset: 9 });
    expect(next.text.slice(next.offset)).toBe('crypto now');
  });

  it('carries nothing over two seconds or more', () => {
    const stitcher = new BorderStitcher(3);
    stitcher.stitch(said(0, 1_000, 'free'));
    expect(stitcher.stitch(said(3_000, 4_000, 'crypto'))).toEqual({ text: 'crypto', offset: 0 });
  });

  it('carries over several short utterances', () => {
    const stitcher = new BorderStitcher(4);
    stitcher.stitch(said(0, 500, 'one'));
    stitcher.stitch(said(600, 900, 'two'));
    expect(stitcher.stitch(said(1_000, 1_300, 'three')).text).toBe('one two three');
  });

  it('carries nothing when phrases are single words', () => {
    const stitcher = new BorderStitcher(1);
    stitcher.stitch(said(0, 500, 'one'));
    expect(stitcher.stitch(said(600, 900, 'two')).offset).toBe(0);
  });
});
