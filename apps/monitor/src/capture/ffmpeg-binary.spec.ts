import { findFfmpeg } from './ffmpeg-binary.js';

describe('findFfmpeg', () => {
  it('finds one that runs', async () => {
    const path = await findFfmpeg();
    expect(await findFfmpeg(path)).toBe(path);
  });

  it.each(['/nowhere/ffmpeg', process.execPath])('says what to do when %s is no ffmpeg', async (path) => {
    await expect(findFfmpeg(path)).rejects.toMatchObject({
      code: 'ffmpeg.missing',
      message: expect.stringContaining('FFMPEG_PATH') as string,
    });
  });
});
