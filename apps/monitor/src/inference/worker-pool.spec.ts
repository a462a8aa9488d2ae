import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelStore } from './model-store.js';
import { RestartBudget } from './restart-budget.js';
import { writeTinyModel, type TinyOutput } from './tiny-model.fixture.js';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js';

/**
 * A thread that does what the first byte of a frame says: answer (with the second byte as class), say nothing,
 * throw, spin, report a failure, speak nonsense.
 */
const obedient = script(`
  const frame = new SharedArrayBuffer(12);
  const pixels = new Uint8Array(frame);
  const format = { width: 2, height: 2, fit: 'stretch', pad: 0 };
  parentPort.on('message', ({ id }) => {
    const [order, classIndex] = pixels;
    if (order === 0) parentPort.postMessage({ type: 'done', id, objects: [{ classIndex, score: 1, box: [0, 0, 1, 1] }] });
    if (order === 2) throw new Error('struck by lightning');
    if (order === 3) for (;;);
    if (order === 4) parentPort.postMessage({ type: 'failed', id, message: 'not today' });
    if (order === 5) parentPort.postMessage('moo');
  });
  parentPort.postMessage({ type: 'ready', format, family: 'fake', frame });
`);
const order = { answer: 0, silence: 1, crash: 2, spin: 3, fail: 4, nonsense: 5 };
const source = { width: 2, height: 2 };

function script(body: string): URL {
  const text = `import { parentPort } from 'node:worker_threads';\n${body}`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

function frame(first: number, second = 0): Uint8Array {
  return new Uint8Array([first, second, ...new Uint8Array(10)]);
}

let pool: WorkerPool;
afterEach(() => pool.stop());

async function started(options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> {
  pool = new WorkerPool({ modelPath: 'none', classes: 80, threads: 1, entry: obedient, ...options });
  await pool.start();
  return pool;
}

describe('a pool of inference threads', () => {
  it('answers every frame with what is in that frame, and counts them', async () => {
    await started({ threads: 2 });
    const classes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => (await pool.infer(frame(order.answer, index), source, 0.5))[0]),
    );
    expect(classes.map((object) => object?.classIndex)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(pool.stats()).toMatchObject({ threads: 2, queued: 0, running: 0, done: 50, failed: 0, restarts: 0 });
    expect(pool.stats().busyMs).toBeGreaterThan(0);
  });

  it('serves what is spare only when no other frame waits', async () => {
    await started();
    const served: string[] = [];
    const ask = (name: string, spare: boolean): Promise<unknown> =>
      pool.infer(frame(order.answer), source, 0.5, undefined, spare).then(() => served.push(name));
    await Promise.all([ask('first', false), ask('spare 1', true), ask('spare 2', true), ask('second', false)]);
    expect(served).toEqual(['first', 'second', 'spare 1', 'spare 2']);
  });

  it('refuses frames beyond its queue, at once and counted', async () => {
    await started({ maxQueued: 2 });
    const waiting = [1, 2, 3].map(() => pool.infer(frame(order.silence), source, 0.5));
    for (const job of waiting) job.catch(() => undefined);
    await expect(pool.infer(frame(order.answer), source, 0.5)).rejects.toMatchObject({
      code: 'inference.unavailable',
      message: expect.stringContaining('2 frames wait'),
    });
    expect(pool.stats()).toMatchObject({ queued: 2, running: 1, refused: 1 });
  });

  it('refuses a frame of another size', async () => {
    await started();
    await expect(pool.infer(new Uint8Array(7), source, 0.5)).rejects.toMatchObject({ code: 'inference.failed' });
  });

  it('refuses frames before its start and after its stop', async () => {
    pool = new WorkerPool({ modelPath: 'none', classes: 80, threads: 1, entry: obedient });
    const early = pool.infer(frame(order.answer), source, 0.5);
    await expect(early).rejects.toMatchObject({ code: 'inference.unavailable' });
    await pool.start();
    await pool.stop();
    const late = pool.infer(frame(order.answer), source, 0.5);
    await expect(late).rejects.toMatchObject({ code: 'inference.unavailable' });
  });

  it.each([
    ['says nothing', order.silence],
    ['spins for ever', order.spin],
  ])('replaces a thread that %s', async (_, what) => {
    await started({ jobTimeoutMs: 50 });
    await expect(pool.infer(frame(what), source, 0.5)).rejects.toMatchObject({ code: 'inference.timeout' });
    expect(await pool.infer(frame(order.answer, 7), source, 0.5)).toMatchObject([{ classIndex: 7 }]);
    expect(pool.stats()).toMatchObject({ timedOut: 1, restarts: 1, done: 1, threads: 1 });
  });

  it('keeps a thread that answers in time, however long it serves', async () => {
    await started({ jobTimeoutMs: 40 });
    const until = performance.now() + 150;
    while (performance.now() < until) await pool.infer(frame(order.answer), source, 0.5);
    expect(pool.stats()).toMatchObject({ timedOut: 0, restarts: 0, threads: 1 });
  });

  it('lets no frame wait for ever', async () => {
    await started({ queueTimeoutMs: 50 });
    const silent = pool.infer(frame(order.silence), source, 0.5);
    silent.catch(() => undefined);
    await expect(pool.infer(frame(order.answer), source, 0.5)).rejects.toMatchObject({ code: 'inference.timeout' });
    expect(pool.stats()).toMatchObject({ queued: 0, timedOut: 1 });
  });

  it.each([
    ['crashes', order.crash, 'struck by lightning'],
    ['speaks nonsense', order.nonsense, 'not understood'],
  ])('replaces a thread that %s, and serves what waited', async (_, what, reason) => {
    await started();
    const doomed = pool.infer(frame(what), source, 0.5);
    const waiting = pool.infer(frame(order.answer, 9), source, 0.5);
    await expect(doomed).rejects.toMatchObject({
      code: 'inference.failed',
      message: expect.stringContaining(reason),
    });
    expect(await waiting).toMatchObject([{ classIndex: 9 }]);
    expect(pool.stats()).toMatchObject({ failed: 1, restarts: 1, done: 1 });
  });

  it('keeps a thread that reports a failure', async () => {
    await started();
    await expect(pool.infer(frame(order.fail), source, 0.5)).rejects.toMatchObject({
      code: 'inference.failed',
      message: expect.stringContaining('not today'),
    });
    expect(await pool.infer(frame(order.answer), source, 0.5)).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ failed: 1, restarts: 0 });
  });

  it('stops restarting when its budget is spent, says so, and tries again when the window has passed', async () => {
    let time = 0;
    await started({ maxRestarts: 2, restartWindowMs: 80, now: () => time });
    const crash = () => pool.infer(frame(order.crash), source, 0.5);
    for (let count = 0; count < 3; count++) {
      await expect(crash()).rejects.toMatchObject({ code: 'inference.failed' });
      time += 1;
    }
    expect(pool.trouble).toContain('struck by lightning');
    await expect(crash()).rejects.toMatchObject({ code: 'inference.unavailable' });
    expect(pool.stats()).toMatchObject({ threads: 0, restarts: 2 });
    time += 1_000;
    while (pool.trouble !== null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await pool.infer(frame(order.answer), source, 0.5)).toHaveLength(1);
  });

  it('drops an aborted frame whether it waits or runs', async () => {
    await started({ jobTimeoutMs: 100 });
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const running = pool.infer(frame(order.silence), source, 0.5, first.signal);
    const waiting = pool.infer(frame(order.answer), source, 0.5, second.signal);
    third.abort();
    await expect(pool.infer(frame(order.answer), source, 0.5, third.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    second.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    first.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    // The thread that still sits on the aborted frame is replaced in time.
    expect(await pool.infer(frame(order.answer), source, 0.5)).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ aborted: 2, restarts: 1, queued: 0 });
  });

  it('rejects what runs and waits when it stops', async () => {
    await started();
    const jobs = [1, 2, 3].map(() => pool.infer(frame(order.spin), source, 0.5));
    const settled = Promise.allSettled(jobs);
    await pool.stop();
    for (const result of await settled) expect(result).toMatchObject({ reason: { code: 'inference.unavailable' } });
    expect(pool.stats()).toMatchObject({ threads: 0, queued: 0, running: 0 });
  });

  it('does not start when a thread never becomes ready or ends', async () => {
    const options = { modelPath: 'none', classes: 80, threads: 1, startTimeoutMs: 100 };
    pool = new WorkerPool({ ...options, entry: script('setInterval(() => 0, 1000)') });
    await expect(pool.start()).rejects.toMatchObject({ code: 'inference.unavailable' });
    pool = new WorkerPool({ ...options, startTimeoutMs: 10_000, entry: script('process.exit(3)') });
    await expect(pool.start()).rejects.toMatchObject({
      code: 'inference.unavailable',
      message: expect.stringContaining('code 3'),
    });
  });

  it('can be stopped while it starts', async () => {
    pool = new WorkerPool({ modelPath: 'none', classes: 80, threads: 1, entry: script('setInterval(() => 0, 1000)') });
    const starting = pool.start();
    const refused = expect(starting).rejects.toMatchObject({ code: 'inference.unavailable' });
    await pool.stop();
    await refused;
  });
});

describe('a restart budget', () => {
  it('lets so many through within a window and says how long the next must wait', () => {
    let time = 0;
    const budget = new RestartBudget(2, 100, () => time);
    expect([budget.take(), budget.take(), budget.take()]).toEqual([0, 0, 100]);
    time = 60;
    expect(budget.take()).toBe(40);
    time = 100;
    expect(budget.take()).toBe(0);
  });
});

describe('models of every family, end to end', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-tiny-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function model(input: readonly (number | string)[], ...outputs: TinyOutput[]): Promise<WorkerPool> {
    const modelPath = join(directory, 'tiny.onnx');
    await writeTinyModel(modelPath, input, outputs);
    return started({ modelPath, classes: 2, entry: new URL('./inference-worker.js', import.meta.url) });
  }

  /** A row or column of numbers, from a place and with a step. */
  const numbers = (from: number, step: number, values: number[]): Map<number, number> =>
    new Map(values.map((value, index) => [from + index * step, value]));

  const blank = (side: number): Uint8Array => new Uint8Array(side * side * 3);

  it('reads Ultralytics v8, centred', async () => {
    await model([1, 3, 64, 64], {
      name: 'output0',
      dims: [1, 6, 84],
      values: numbers(10, 84, [32, 32, 16, 8, 0.1, 0.9]),
    });
    expect(pool.family).toBe('ultralytics-v8');
    expect(pool.format).toEqual({ width: 64, height: 64, fit: 'letterbox-center', pad: 114 });
    // 128x64 is halved and lies 16 pixels down.
    const [object] = await pool.infer(blank(64), { width: 128, height: 64 }, 0.5);
    expect(object).toMatchObject({ classIndex: 1, score: expect.closeTo(0.9), box: [48, 24, 80, 40] });
  });

  it('reads Ultralytics v5, sides left open', async () => {
    const values = numbers(7 * 7, 1, [320, 320, 64, 64, 0.8, 1, 0]);
    await model(['batch', 3, 'height', 'width'], { name: 'output', dims: [1, 25200, 7], values });
    expect([pool.family, pool.format?.width]).toEqual(['ultralytics-v5', 640]);
    const [object] = await pool.infer(blank(640), { width: 640, height: 640 }, 0.5);
    expect(object).toMatchObject({ classIndex: 0, score: expect.closeTo(0.8), box: [288, 288, 352, 352] });
  });

  it('reads YOLOX and CenterNet', async () => {
    await model([1, 3, 64, 64], { name: 'output', dims: [1, 84, 7], values: numbers(0, 1, [2, 2, 0, 0, 1, 0, 1]) });
    expect(pool.family).toBe('yolox');
    const [object] = await pool.infer(blank(64), { width: 128, height: 64 }, 0.5);
    expect(object).toMatchObject({ classIndex: 1, score: 1, box: [24, 24, 40, 40] });
    await pool.stop();
    const scores = { name: 'a', dims: [1, 2, 16, 16], values: numbers(256 + 8 * 16 + 8, 1, [0.7]) };
    const sides = { name: 'b', dims: [1, 4, 16, 16], values: numbers(8 * 16 + 8, 256, [8, 8, 16, 16]) };
    await model([1, 3, 64, 64], scores, sides);
    expect([pool.family, pool.format?.fit]).toEqual(['centernet', 'stretch']);
    const found = await pool.infer(blank(64), { width: 128, height: 64 }, 0.5);
    expect(found).toMatchObject([{ classIndex: 1, score: expect.closeTo(0.7), box: [48, 24, 96, 48] }]);
  });

  it('leaves out what lies in the padding alone', async () => {
    await model([1, 3, 64, 64], { name: 'output0', dims: [1, 6, 84], values: numbers(0, 84, [32, 5, 10, 10, 0.9, 0]) });
    expect(await pool.infer(blank(64), { width: 128, height: 64 }, 0.5)).toEqual([]);
  });

  it('refuses outputs it does not know, naming them, and starts no thread', async () => {
    const unknown = model([1, 3, 64, 64], { name: 'logits', dims: [1, 1000] });
    await expect(unknown).rejects.toMatchObject({
      code: 'model.unknown_layout',
      message: expect.stringContaining('logits [1, 1000]'),
    });
    expect(pool.stats().threads).toBe(0);
  });

  it('refuses a file that is no model, and one that is cut short', async () => {
    const modelPath = join(directory, 'broken.onnx');
    const broken = () => started({ modelPath, classes: 2, entry: new URL('./inference-worker.js', import.meta.url) });
    await writeFile(modelPath, 'not a model');
    await expect(broken()).rejects.toMatchObject({ code: 'model.unreadable' });
    await writeTinyModel(modelPath, [1, 3, 64, 64], [{ name: 'output0', dims: [1, 6, 84] }]);
    await truncateByHalf(modelPath);
    await expect(broken()).rejects.toMatchObject({
      code: 'model.unreadable',
      message: expect.stringContaining(modelPath),
    });
  });
});

describe('threads inside native code', () => {
  let directory: string;
  let modelPath: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-native-'));
    const store = new ModelStore({ modelsDir: directory, cacheDir: directory, allowDownload: false });
    modelPath = (await store.resolve('centernet')).path;
  });
  afterAll(() => rm(directory, { recursive: true }));

  const real = { threads: 1, entry: new URL('./inference-worker.js', import.meta.url) };
  const pixels = new Uint8Array(512 * 512 * 3);

  it('end without taking the process along, when the pool stops while they load or run', async () => {
    for (let delayMs = 0; delayMs < 6; delayMs++) {
      pool = new WorkerPool({ ...real, modelPath, classes: 80 });
      const starting = pool.start();
      const settled = Promise.allSettled([starting]);
      await new Promise((resolve) => setTimeout(resolve, delayMs * 25));
      await pool.stop();
      await settled;
      await started({ ...real, modelPath });
      const running = Promise.allSettled([pool.infer(pixels, source, 0.5)]);
      await new Promise((resolve) => setTimeout(resolve, delayMs * 5));
      await pool.stop();
      await running;
      expect(pool.stats().threads).toBe(0);
    }
  }, 30_000);

  it('are replaced when they take too long, and come to their end', async () => {
    await started({ ...real, modelPath, jobTimeoutMs: 5 });
    await expect(pool.infer(pixels, source, 0.5)).rejects.toMatchObject({ code: 'inference.timeout' });
    await pool.stop();
    expect(pool.stats()).toMatchObject({ threads: 0, restarts: 1 });
  });
});

async function truncateByHalf(path: string): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size / 2));
}
