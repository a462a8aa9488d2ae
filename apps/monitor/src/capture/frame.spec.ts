import { placement, toSourceBox, type FrameFormat } from './frame.js';

const format = (fit: FrameFormat['fit']): FrameFormat => ({ width: 416, height: 416, fit, pad: 114 });

describe('placement', () => {
  it('says where the picture lies for each fit', () => {
    const source = { width: 1280, height: 720 };
    expect(placement(format('letterbox-top-left'), source)).toEqual({
      scaleX: 0.325,
      scaleY: 0.325,
      offsetX: 0,
      offsetY: 0,
    });
    expect(placement(format('letterbox-center'), source)).toEqual({
      scaleX: 0.325,
      scaleY: 0.325,
      offsetX: 0,
      offsetY: 91,
    });
    expect(placement(format('stretch'), source)).toEqual({ scaleX: 0.325, scaleY: 416 / 720, offsetX: 0, offsetY: 0 });
  });
});

describe('toSourceBox', () => {
  it('maps back and clips to the picture', () => {
    const source = { width: 1280, height: 720 };
    expect(toSourceBox([0, 91, 416, 325], format('letterbox-center'), source)).toEqual([0, 0, 1280, 720]);
    expect(toSourceBox([-5, 0, 500, 416], format('letterbox-center'), source)).toEqual([0, 0, 1280, 720]);
    expect(toSourceBox([208, 208, 416, 416], format('stretch'), source).map(Math.round)).toEqual([640, 360, 1280, 720]);
  });
});
