import { transpose } from './centernet-converter.js';
import { halfToNumber, readConstant } from './tfjs-graph.js';

describe('weights of a TensorFlow.js graph', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0xfc00, -Infinity],
  ])('hold the half 0x%s as %d', (bits, value) => {
    expect(halfToNumber(bits)).toBe(value);
  });

  const read = (dtype: 'float32' | 'int32', stored: 'float16' | 'uint8' | 'uint16' | undefined, bytes: number[]) => {
    const quantization = stored && { dtype: stored, scale: 0.5, min: -1 };
    const [{ values }, length] = readConstant({ name: 'w', shape: [2], dtype, quantization }, Buffer.from(bytes), 1);
    return { values: [...values], length };
  };

  it('are read in every stored form, from any offset', () => {
    expect(read('float32', undefined, [9, 0, 0, 128, 63, 0, 0, 0, 192])).toEqual({ values: [1, -2], length: 8 });
    expect(read('int32', undefined, [9, 255, 255, 255, 255, 7, 0, 0, 0])).toEqual({ values: [-1, 7], length: 8 });
    expect(read('float32', 'float16', [9, 0, 60, 0, 192])).toEqual({ values: [1, -2], length: 4 });
    expect(read('float32', 'uint8', [9, 4, 255])).toEqual({ values: [1, 126.5], length: 2 });
    expect(read('float32', 'uint16', [9, 4, 0, 0, 1])).toEqual({ values: [1, 127], length: 4 });
  });

  it('that end too early are refused', () => {
    expect(() => read('float32', 'float16', [9, 0, 60, 0])).toThrow('the file ends inside "w"');
  });

  it('change the order of their axes', () => {
    const values = new Float32Array(24).map((_, index) => index);
    const turned = transpose({ shape: [1, 2, 3, 4], values }, [3, 2, 0, 1]);
    expect(turned.shape).toEqual([4, 3, 1, 2]);
    // [o, i, h, w] of the result is [h, w, i, o] of the source: (0*2 + 1)*12 + 2*4 + 3.
    expect(turned.values[(3 * 3 + 2) * 2 + 1]).toBe(23);
    expect(turned.values[(1 * 3 + 0) * 2 + 1]).toBe(13);
  });
});
