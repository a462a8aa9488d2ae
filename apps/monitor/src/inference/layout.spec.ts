import { cells, frameFormatOf, inputSizeOf, pixelScaleOf, recognizeLayout, type OutputShape } from './layout.js';

const square = (side: number) => ({ width: side, height: side });
const single = (...dims: number[]): OutputShape[] => [{ name: 'output', dims }];

describe('recognizing an output layout', () => {
  it.each([
    ['yolox', single(1, 3549, 85), 416, 80],
    ['yolox', single(1, 8400, 85), 640, 80],
    ['yolox', single(1, 84, 8), 64, 3],
    ['ultralytics-v5', single(1, 25200, 85), 640, 80],
    ['ultralytics-v5', single(1, 252, 6), 64, 1],
    ['ultralytics-v5', single(1, 102000, 85), 1280, 80],
    ['ultralytics-v8', single(1, 84, 8400), 640, 80],
    ['ultralytics-v8', single(1, 5, 8400), 640, 1],
    ['ultralytics-v8', single(1, 14, 3549), 416, 10],
  ])('tells %s by the shapes %j at %i pixels with %i labels', (family, outputs, side, classes) => {
    expect(recognizeLayout(outputs, square(side), classes).family).toBe(family);
  });

  it('tells CenterNet by its two maps, in any order and with other outputs beside them', () => {
    const outputs = [
      { name: 'detections', dims: [1, 100, 6] },
      { name: 'wh', dims: [1, 4, 128, 128] },
      { name: 'keypoints', dims: [1, 80, 128, 128] },
    ];
    const expected = { family: 'centernet', scores: 'keypoints', sides: 'wh', columns: 128, rows: 128 };
    expect(recognizeLayout(outputs, square(512), 80)).toEqual(expected);
  });

  it('lets the number of labels decide where the shape alone does not', () => {
    // 84 columns are 80 classes without objectness, or 79 with it.
    expect(recognizeLayout(single(1, 84, 84), square(64), 80).family).toBe('ultralytics-v8');
    expect(recognizeLayout(single(1, 84, 84), square(64), 79).family).toBe('yolox');
  });

  it.each([
    ['a list of boxes with NMS inside', single(1, 300, 6), 1],
    ['labels that do not fit', single(1, 84, 8400), 79],
    ['two pictures at once', single(2, 84, 8400), 80],
    ['masks beside boxes', [...single(1, 116, 8400), { name: 'masks', dims: [1, 32, 160, 160] }], 80],
    ['nothing', [], 80],
  ])('refuses %s and says what it saw and what is understood', (_, outputs, classes) => {
    const recognize = () => recognizeLayout(outputs, square(640), classes);
    expect(recognize).toThrow(expect.objectContaining({ code: 'model.unknown_layout' }));
    for (const { name, dims } of outputs) expect(recognize).toThrow(`${name} [${dims.join(', ')}]`);
    expect(recognize).toThrow('[1, 4+classes, N]');
  });

  it('counts cells of pictures that are not square', () => {
    expect(cells({ width: 640, height: 384 }, [8, 16, 32])).toBe(80 * 48 + 40 * 24 + 20 * 12);
  });
});

describe('the input of a model', () => {
  it.each([
    [[1, 3, 416, 416], { width: 416, height: 416 }],
    [[1, 3, 384, 640], { width: 640, height: 384 }],
    [['batch', 3, 'height', 'width'], { width: 640, height: 640 }],
    [[-1, 3, -1, -1], { width: 640, height: 640 }],
  ])('is read from its shape %j', (dims, size) => {
    expect(inputSizeOf('float32', dims, 640)).toEqual(size);
  });

  it.each([
    ['float16', [1, 3, 640, 640]],
    ['float32', [4, 3, 640, 640]],
    ['float32', [1, 640, 640, 3]],
    ['float32', [1, 1000]],
    ['float32', [1, 3, 100_000, 100_000]],
  ])('is refused when it is %s %j', (type, dims) => {
    expect(() => inputSizeOf(type, dims, 640)).toThrow(expect.objectContaining({ code: 'model.unknown_layout' }));
  });

  it('asks for pictures as the family was trained on', () => {
    const yolox = recognizeLayout(single(1, 3549, 85), square(416), 80);
    const v8 = recognizeLayout(single(1, 84, 8400), square(640), 80);
    expect(frameFormatOf(yolox, square(416))).toEqual({
      ...square(416),
      fit: 'letterbox-top-left',
      pad: 114,
    });
    expect(frameFormatOf(v8, square(640))).toEqual({
      ...square(640),
      fit: 'letterbox-center',
      pad: 114,
    });
    expect([pixelScaleOf(yolox), pixelScaleOf(v8)]).toEqual([1, 1 / 255]);
  });
});
