import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { DetectedObject } from '#libs/contracts/primitives.js';
import type { VideoDetector } from './detector.port.js';
import { frameOfPhoto, groupPhoto } from './photo-frame.fixture.js';
import { createVideoDetector, createVideoDetectors, type VideoDetectorOptions } from './registry.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vigil-detectors-'));
});
afterAll(() => rm(directory, { recursive: true }));

const defaults = (): VideoDetectorOptions => ({
  ...{ model: 'centernet', modelsDir: directory, cacheDir: directory, allowDownload: false, threads: 1 },
});

/** Detectors that run on what the packages of the project bring. */
function create(options: Partial<VideoDetectorOptions> = {}): VideoDetector[] {
  return createVideoDetectors({ ...defaults(), ...options });
}

it('every detector has an id of its own', () => {
  const ids = create().map(({ descriptor }) => descriptor.id);
  expect(ids).toContain('yolo');
  expect(new Set(ids).size).toBe(ids.length);
});

it('one is chosen by its id, and an unknown id is told the others', () => {
  expect(createVideoDetector('yolo', defaults()).descriptor.id).toBe('yolo');
  expect(() => createVideoDetector('nobody', defaults())).toThrow(/"nobody"; there are: .*yolo/);
});

describe.each(create().map(({ descriptor, stats }, index) => [descriptor.id, index, stats !== undefined] as const))(
  'the detector %s',
  (_, index, hasModel) => {
    let detector: VideoDetector;
    const one = (options?: Partial<VideoDetectorOptions>): VideoDetector => {
      const [found] = create(options).slice(index);
      if (found === undefined) throw new Error('The registry lost a detector.');
      return (detector = found);
    };
    afterEach(() => detector.stop());

    it('describes itself', () => {
      expect(() => AdapterDescriptor.parse(one().descriptor)).not.toThrow();
    });

    it('says that it loads, then what runs and what it can find', async () => {
      one();
      expect(detector.state()).toMatchObject({ state: 'loading', model: null });
      expect(detector.frameFormat).toBeNull();
      await detector.start();
      expect(detector.state()).toMatchObject({ state: 'ready', model: expect.any(String) });
      expect(detector.state().detail).toMatch(/\.$|:/);
      expect(detector.state().labels.length).toBeGreaterThan(0);
      expect(detector.frameFormat).not.toBeNull();
    });

    it('finds objects inside the picture, best first, none below the asked score, the same twice', async () => {
      await one().start();
      if (detector.frameFormat === null) throw new Error('It has no model.');
      const frame = await frameOfPhoto(groupPhoto, detector.frameFormat);
      const objects = await detector.inspect(frame, 0.3);
      expect(objects.length).toBeGreaterThan(0);
      for (const object of objects) {
        const { label, score, box } = DetectedObject.parse(object);
        expect(detector.state().labels).toContain(label);
        expect(score).toBeGreaterThanOrEqual(0.3);
        const [x1, y1, x2, y2] = box;
        expect(x1 >= 0 && y1 >= 0 && x2 <= frame.source.width && y2 <= frame.source.height).toBe(true);
        expect(x2 > x1 && y2 > y1).toBe(true);
      }
      const scores = objects.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(await detector.inspect(frame, 0.3)).toEqual(objects);
      expect(await detector.inspect(frame, 1)).toEqual([]);
    });

    it('serves many frames at once', async () => {
      await one({ threads: 2 }).start();
      if (detector.frameFormat === null) throw new Error('It has no model.');
      const frame = await frameOfPhoto(groupPhoto, detector.frameFormat);
      const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => detector.inspect(frame, 0.3)));
      for (const objects of others) expect(objects).toEqual(first);
    });

    it('lets go of a frame that is aborted', async () => {
      await one().start();
      if (detector.frameFormat === null) throw new Error('It has no model.');
      const frame = await frameOfPhoto(groupPhoto, detector.frameFormat);
      await expect(detector.inspect(frame, 0.3, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
      const interrupt = new AbortController();
      const running = detector.inspect(frame, 0.3, interrupt.signal);
      interrupt.abort();
      await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    });

    // One without a model has none that could be missing.
    const models: [string, () => Promise<Partial<VideoDetectorOptions>>][] = [
      ['a model nobody knows', async () => ({ model: 'unheard-of' })],
      ['a model file that is not there', async () => ({ model: join(directory, 'none.onnx') })],
      [
        'a model file that is no model',
        async () => {
          await writeFile(join(directory, 'broken.onnx'), 'no model');
          await writeFile(join(directory, 'broken.txt'), 'label');
          return { model: join(directory, 'broken.onnx') };
        },
      ],
    ];
    if (hasModel)
      it.each(models)('is degraded, not broken, by %s', async (__, options) => {
        await one(await options()).start();
        const { state, detail, model } = detector.state();
        expect({ state, model }).toEqual({ state: 'degraded', model: null });
        expect(detail).toMatch(/^Video is not inspected: \S/);
        const empty = { width: 1, height: 1 };
        const frame = {
          index: 0,
          ptsMs: 0,
          receivedAt: 0,
          source: empty,
          pixels: Buffer.alloc(3),
          jpeg: Buffer.alloc(0),
        };
        await expect(detector.inspect(frame, 0.3)).rejects.toMatchObject({ code: 'inference.unavailable' });
      });

    it('can be stopped before, while and after it starts, and inspects nothing then', async () => {
      await one().stop();
      one();
      const starting = detector.start();
      await detector.stop();
      await starting;
      expect(detector.state().state).toBe('degraded');
      await one().start();
      const format = detector.frameFormat;
      if (format === null) throw new Error('It has no model.');
      const frame = await frameOfPhoto(groupPhoto, format);
      await detector.stop();
      await detector.stop();
      await expect(detector.inspect(frame, 0.3)).rejects.toMatchObject({ code: 'inference.unavailable' });
    });
  },
);
