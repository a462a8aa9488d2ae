import { MotionGate } from './motion-gate.js';

const SIZE = { width: 416, height: 416 };

/** A grey picture with noise; then a patch of another level, wherever it is wanted. */
function picture(level: number, noise: number, patch?: { x: number; y: number; w: number; h: number }): Uint8Array {
  const pixels = new Uint8Array(SIZE.width * SIZE.height * 3);
  for (let at = 0; at < pixels.length; at++)
    pixels[at] = level + (((at * 2_654_435_761) >>> 16) % (2 * noise + 1)) - noise;
  if (patch === undefined) return pixels;
  for (let y = patch.y; y < patch.y + patch.h; y++)
    pixels.fill(level + 90, y * 416 + patch.x, y * 416 + patch.x + patch.w);
  return pixels;
}

describe('MotionGate', () => {
  it('takes the first frame for a cut, and the same with noise for still', () => {
    const gate = new MotionGate();
    expect(gate.look(picture(100, 0), SIZE)).toBe('cut');
    gate.keep();
    expect(gate.look(picture(100, 4), SIZE)).toBe('still');
  });

  it('sees something as small as a person far away', () => {
    const gate = new MotionGate();
    gate.look(picture(100, 2), SIZE);
    gate.keep();
    expect(gate.look(picture(100, 2, { x: 200, y: 150, w: 12, h: 26 }), SIZE)).toBe('moved');
  });

  it('compares with the frame that was kept, so that slow motion adds up', () => {
    const gate = new MotionGate();
    gate.look(picture(100, 0), SIZE);
    gate.keep();
    const looks = [101, 102, 103, 104, 105, 106].map((level) => gate.look(picture(level, 0), SIZE));
    expect(looks).toEqual(['still', 'still', 'still', 'still', 'moved', 'moved']);
  });

  it('tells another scene, also where nearly half of the frame is padding', () => {
    const gate = new MotionGate();
    gate.look(picture(100, 0), SIZE);
    gate.keep();
    expect(gate.look(picture(100, 0, { x: 0, y: 0, w: 416, h: 234 }), SIZE)).toBe('cut');
  });

  it('starts over when frames come in another size', () => {
    const gate = new MotionGate();
    gate.look(picture(100, 0), SIZE);
    gate.keep();
    expect(gate.look(new Uint8Array(64 * 64 * 3), { width: 64, height: 64 })).toBe('cut');
  });
});
