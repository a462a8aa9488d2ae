import { toPlanes } from './pixels.js';

describe('toPlanes', () => {
  const frame = Uint8Array.from([10, 11, 20, 21, 30, 31]); // green, blue, red; two pixels

  it('puts the planes in the order of the model', () => {
    const planes = new Float32Array(6);
    toPlanes(frame, 'rgb', 1, planes);
    expect([...planes]).toEqual([30, 31, 10, 11, 20, 21]);
    toPlanes(frame, 'bgr', 1, planes);
    expect([...planes]).toEqual([20, 21, 10, 11, 30, 31]);
  });

  it('scales', () => {
    const planes = new Float32Array(6);
    toPlanes(Uint8Array.from([0, 255, 0, 255, 0, 255]), 'rgb', 1 / 255, planes);
    expect([...planes]).toEqual([0, 1, 0, 1, 0, 1]);
  });
});
