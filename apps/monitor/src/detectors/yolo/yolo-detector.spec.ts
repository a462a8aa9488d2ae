import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Box } from '#libs/contracts/primitives.js';
import { itWithData } from '#libs/testing/test-data.js';
import { ModelStore } from '../../inference/model-store.js';
import { frameOfPhoto, groupPhoto } from '../photo-frame.fixture.js';
import { YoloDetector } from './yolo-detector.js';

let directory: string;
let detector: YoloDetector;
const running: YoloDetector[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vigil-yolo-'));
});
afterEach(async () => {
  for (const started of running.splice(0)) await started.stop();
  await rm(directory, { recursive: true });
});

async function started(model: string, modelsDir = directory): Promise<YoloDetector> {
  const store = new ModelStore({ modelsDir, cacheDir: directory, allowDownload: false });
  detector = new YoloDetector({ model, threads: 1, store });
  running.push(detector);
  await detector.start();
  return detector;
}

async function find(photo: string, minScore: number): Promise<{ label: string; score: number; box: Box }[]> {
  if (detector.frameFormat === null) throw new Error(detector.state().detail);
  return detector.inspect(await frameOfPhoto(photo, detector.frameFormat), minScore);
}

/** Expects the best object of a label within 5 % of the sides of the picture. */
async function expectObject(photo: string, label: string, minScore: number, expected: Box): Promise<void> {
  if (detector.frameFormat === null) throw new Error(detector.state().detail);
  const frame = await frameOfPhoto(photo, detector.frameFormat);
  const object = (await detector.inspect(frame, 0.3)).find((candidate) => candidate.label === label);
  expect(object?.score).toBeGreaterThanOrEqual(minScore);
  const { width, height } = frame.source;
  expected.forEach((value, side) => {
    const off = Math.abs((object?.box[side] ?? Infinity) - value);
    expect(off / (side % 2 === 0 ? width : height)).toBeLessThan(0.05);
  });
}

describe('YOLOX-nano', () => {
  const model = 'models/yolox_nano.onnx';

  itWithData(
    'finds the dog, the car, the bicycle, the bear and the stop sign where they are',
    [model, 'photos/dog.jpg', 'photos/coco-285.jpg', 'photos/coco-724.jpg'],
    async (weights, dog = '', bear = '', sign = '') => {
      await started('yolox-nano', dirname(weights ?? ''));
      expect(detector.state()).toMatchObject({ state: 'ready', model: 'yolox-nano' });
      await expectObject(dog, 'dog', 0.7, [132, 206, 324, 542]);
      await expectObject(dog, 'car', 0.7, [466, 78, 691, 171]);
      await expectObject(dog, 'bicycle', 0.7, [46, 131, 571, 430]);
      await expectObject(bear, 'bear', 0.7, [0, 65, 574, 638]);
      await expectObject(sign, 'stop sign', 0.7, [120, 71, 254, 228]);
      expect(detector.stats).toMatchObject({ done: 5, failed: 0, threads: 1 });
    },
  );

  itWithData('runs as an own model with own labels', [model], async (weights = '') => {
    const path = join(directory, 'mine.onnx');
    await copyFile(weights, path);
    const labels = Array.from({ length: 80 }, (_, index) => `thing ${index}`);
    await writeFile(join(directory, 'mine.txt'), labels.join('\n'));
    await started(path);
    expect(detector.state()).toMatchObject({ state: 'ready', model: 'mine', labels });
    expect(await find(groupPhoto, 0.5)).toContainEqual(expect.objectContaining({ label: 'thing 0' }));
  });

  itWithData('is degraded with labels that do not fit, saying so', [model], async (weights = '') => {
    await copyFile(weights, join(directory, 'mine.onnx'));
    await writeFile(join(directory, 'mine.txt'), 'one\ntwo\n');
    await started(join(directory, 'mine.onnx'));
    expect(detector.state()).toMatchObject({
      state: 'degraded',
      detail: expect.stringMatching(/output \[1, 3549, 85\], with 2 labels.*one line for each class/),
    });
  });

  itWithData('is degraded when its file is cut short, saying what to do', [model], async (weights = '') => {
    await writeFile(join(directory, 'yolox_nano.onnx'), (await readFile(weights)).subarray(0, 1_000_000));
    await started('yolox-nano');
    expect(detector.state()).toMatchObject({
      state: 'degraded',
      detail: expect.stringMatching(/got sha256 \w+ \(1000000 bytes\).*Delete it/),
    });
  });
});

describe('the built-in model in place of YOLOX-nano', () => {
  it('finds the people of a group and says why it runs', async () => {
    await started('yolox-nano');
    expect(detector.state()).toMatchObject({ state: 'ready', model: 'centernet' });
    expect(detector.state().detail).toMatch(/centernet runs.*in place of yolox-nano.*MODEL_DOWNLOAD is off/);
    const people = (await find(groupPhoto, 0.4)).filter(({ label }) => label === 'person');
    expect(people).toHaveLength(3);
    expect(people[0]?.score).toBeCloseTo(0.67, 1);
    // From left to right the three stand apart.
    const centers = people.map(({ box }) => (box[0] + box[2]) / 2).sort((a, b) => a - b);
    expect(centers.map((center) => Math.round(center / 500))).toEqual([1, 2, 3]);
  });
});
