import type { FrameFormat } from '../capture/frame.js';
import { PictureInput, toPlanes } from './pixels.js';

describe('toPlanes', () => {
  const whole = { left: 0, top: 0, width: 2, height: 1 };
  const frame = Uint8Array.from([10, 11, 20, 21, 30, 31]); // green, blue, red; two pixels

  it('puts the planes in the order of the model', () => {
    const planes = new Float32Array(6);
    toPlanes(frame, 'rgb', 1, planes, whole, whole);
    expect([...planes]).toEqual([30, 31, 10, 11, 20, 21]);
    toPlanes(frame, 'bgr', 1, planes, whole, whole);
    expect([...planes]).toEqual([20, 21, 10, 11, 30, 31]);
  });

  it('scales', () => {
    const planes = new Float32Array(6);
    toPlanes(Uint8Array.from([0, 255, 0, 255, 0, 255]), 'rgb', 1 / 255, planes, whole, whole);
    expect([...planes]).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it.each([
    [{ left: 0, top: 1, width: 3, height: 2 }, [0, 0, 0, 1, 1, 1, 1, 1, 1]],
    [{ left: 1, top: 0, width: 1, height: 2 }, [0, 1, 0, 0, 1, 0, 0, 0, 0]],
  ])('leaves what lies around %j as it is', (area, plane) => {
    const planes = new Float32Array(27);
    toPlanes(new Uint8Array(27).fill(1), 'bgr', 1, planes, { width: 3, height: 3 }, area);
    expect([...planes]).toEqual([...plane, ...plane, ...plane]);
  });
});

describe('PictureInput', () => {
  it('holds what a conversion of the whole frame would, also when the source changes its size', () => {
    const format: FrameFormat = { width: 4, height: 4, fit: 'letterbox-center', pad: 114 };
    const planes = new Float32Array(48);
    const input = new PictureInput(planes, format, 'rgb', 1 / 255);
    const sources = [
      [{ width: 8, height: 4 }, (line: number) => line === 1 || line === 2],
      [{ width: 8, height: 8 }, () => true],
      [{ width: 8, height: 4 }, (line: number) => line === 1 || line === 2],
    ] as const;
    for (const [source, isPicture] of sources) {
      const pixels = Uint8Array.from({ length: 48 }, (_, at) => (isPicture(Math.floor(at / 4) % 4) ? at : format.pad));
      const whole = new Float32Array(48);
      toPlanes(pixels, 'rgb', 1 / 255, whole, format, { left: 0, top: 0, width: 4, height: 4 });
      input.show(pixels, source);
      expect(planes).toEqual(whole);
    }
  });
});
