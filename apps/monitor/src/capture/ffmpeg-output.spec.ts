import { ByteReader, multipartBodies } from './ffmpeg-output.js';

/** The bytes in chunks of every size that may matter. */
async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}
const part = (body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: ${body.length}\r\n\r\n`),
    body,
    Buffer.from('\r\n'),
  ]);

describe('ByteReader', () => {
  it.each([1, 3, 4, 5, 100])('takes as much as is asked for out of chunks of %d', async (size) => {
    const reader = new ByteReader(inChunks(Buffer.from('aaaabbccccccdd'), size));
    const take = async (length: number): Promise<string | null> => {
      const piece = Buffer.alloc(length);
      return (await reader.fill(piece)) ? piece.toString() : null;
    };
    expect([await take(4), await take(2), await take(0), await take(6)]).toEqual(['aaaa', 'bb', '', 'cccccc']);
    expect(await take(3)).toBeNull();
  });
});

describe('multipartBodies', () => {
  const bodies = [Buffer.from('one'), Buffer.from('\r\n\r\n--ffmpeg\r\n'), Buffer.alloc(5_000, 7)];
  const stream = Buffer.concat(bodies.map(part));

  it.each([1, 2, 7, 64, 1_000, 1_024, 1_025, 100_000])('finds the bodies in chunks of %d', async (size) => {
    expect(await all(multipartBodies(inChunks(stream, size), 10_000))).toEqual(bodies);
  });

  it('refuses a body that is too long, one without a length, and a head without an end', async () => {
    const broken = expect.objectContaining({ code: 'capture.broken_output' });
    await expect(all(multipartBodies(inChunks(stream, 100), 4_999))).rejects.toEqual(broken);
    await expect(all(multipartBodies(inChunks(Buffer.from('--x\r\n\r\n'), 100), 9))).rejects.toEqual(broken);
    await expect(all(multipartBodies(inChunks(Buffer.alloc(9_000, 65), 100), 9))).rejects.toEqual(broken);
  });
});
