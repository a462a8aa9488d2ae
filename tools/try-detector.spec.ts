import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { childEnvironment } from '#libs/config/environment.js';
import { itWithData } from '#libs/testing/test-data.js';
import { findFfmpeg } from '../apps/monitor/src/capture/ffmpeg-binary.js';

const photos = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo');
const photo = join(photos, 'sample1.jpg');
const tool = fileURLToPath(new URL('./try-detector.js', import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vigil-try-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Run {
  code: number;
  lines: { file: string; boxes?: { label: string; score: number; box: number[] }[]; error?: string }[];
  errors: string;
}

function run(args: string[], modelsDir = directory): Promise<Run> {
  const env = childEnvironment({ MODELS_DIR: modelsDir, MODEL_DOWNLOAD: 'false' });
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { env, timeout: 60_000 }, (error, stdout, errors) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ code, lines: lines.map((line) => JSON.parse(line)), errors });
    });
  });
}

describe('try-detector', () => {
  it('prints what is found in a photograph, in pixels of the source', async () => {
    const { code, lines, errors } = await run([photo, '--model', 'centernet', '--min', '0.4']);
    expect(code).toBe(0);
    expect(lines).toMatchObject([{ file: photo, width: 1920, height: 1280 }]);
    const [line] = lines;
    expect(line?.boxes?.map(({ label }) => label)).toEqual(['person', 'person', 'person']);
    expect(Math.max(...(line?.boxes ?? []).flatMap(({ box }) => box))).toBeGreaterThan(1000);
    expect(errors).toContain('Model centernet runs');
  }, 30_000);

  it('goes on after a bad file and ends with 1', async () => {
    const text = join(directory, 'text.jpg');
    await writeFile(text, 'no picture');
    const { code, lines } = await run([join(directory, 'none.jpg'), text, photo, '--model', 'centernet']);
    expect(code).toBe(1);
    expect(lines.map(({ error, boxes }) => [error !== undefined, boxes !== undefined])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
    expect(lines[0]).toEqual({ file: join(directory, 'none.jpg'), error: 'There is no such file.' });
  }, 30_000);

  it.each([
    ['no file', []],
    ['an unknown flag', [photo, '--frobnicate']],
    ['a score that is none', [photo, '--min', 'half']],
    ['a score above 1', [photo, '--min', '1.1']],
  ])('explains its use and ends with 2 when it is given %s', async (_, args) => {
    const { code, lines, errors } = await run(args);
    expect({ code, lines }).toEqual({ code: 2, lines: [] });
    expect(errors).toContain('Usage:');
  });

  it('ends with 1 and says why when there is no such model', async () => {
    const { code, lines, errors } = await run([photo, '--model', 'unheard-of']);
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(errors).toContain('There is no model "unheard-of"');
  });

  itWithData(
    'finds what is known to be in the test data, photographs and clip',
    ['models/yolox_nano.onnx', 'photos/dog.jpg', 'video/one-by-one-person-detection.mp4'],
    async (weights = '', dog = '', clip = '') => {
      // A few seconds in which a person walks by; the whole clip would take as many again.
      const cut = join(directory, 'cut.mp4');
      const ffmpeg = await findFfmpeg();
      await promisify(execFile)(ffmpeg, ['-v', 'error', '-ss', '28', '-i', clip, '-t', '6', '-c', 'copy', '-an', cut]);
      const { code, lines } = await run([dog, cut, '--min', '0.7'], dirname(weights));
      expect(code).toBe(0);
      expect(lines[0]?.boxes?.map(({ label }) => label).sort()).toEqual(['bicycle', 'car', 'dog']);
      expect(lines[1]).toMatchObject({ width: 768, height: 432 });
      expect(lines[1]?.boxes?.map(({ label }) => label)).toContain('person');
    },
  );
});
