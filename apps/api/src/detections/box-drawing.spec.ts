import sharp from 'sharp';
import { drawBoxes, escapeXml, overlaySvg } from './box-drawing.js';

describe('drawing boxes', () => {
  const frame = { width: 320, height: 180 };

  it('marks the edge of a box and leaves the rest of the picture alone', async () => {
    const clean = await sharp({ create: { ...frame, channels: 3, background: '#202020' } })
      .jpeg()
      .toBuffer();
    const drawn = await drawBoxes(clean, frame, [{ label: 'person', score: 0.9, box: [100, 60, 200, 160] }]);
    const { data, info } = await sharp(drawn).raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number): number[] => [...data.subarray((y * info.width + x) * 3).subarray(0, 3)];
    expect([info.width, info.height]).toEqual([320, 180]);
    expect(at(100, 110)[0]).toBeGreaterThan(180);
    expect(at(150, 110)[0]).toBeLessThan(70);
    expect(at(20, 20)[0]).toBeLessThan(70);
  });

  it('scales boxes to a picture that was stored smaller than its frame', async () => {
    const small = await sharp({ create: { width: 160, height: 90, channels: 3, background: '#202020' } })
      .jpeg()
      .toBuffer();
    const drawn = await drawBoxes(small, frame, [{ label: 'x', score: 0.9, box: [200, 100, 300, 170] }]);
    const { data, info } = await sharp(drawn).raw().toBuffer({ resolveWithObject: true });
    expect(info.width).toBe(160);
    expect(data[(70 * info.width + 100) * 3]).toBeGreaterThan(150);
  });

  it('writes labels as text, whatever they hold', () => {
    expect(escapeXml(`<a href="x">&'\u0000\ud800`)).toBe('&lt;a href=&quot;x&quot;&gt;&amp;&apos;');
    const svg = overlaySvg(frame, [{ label: '</text><script>', score: 0.5, box: [0, 0, 10, 10] }]);
    expect(svg).not.toContain('<script>');
  });
});
