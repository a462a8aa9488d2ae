import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestDirectory, ModelManifest, readManifest } from './model-manifest.js';
import { ModelStore, type ModelStoreOptions } from './model-store.js';

const weights = Buffer.from('weights of a small model, '.repeat(10_000));
const sha256 = createHash('sha256').update(weights).digest('hex');
const otherExport = Buffer.from('another export');

let directory: string;
let server: Server;
let answer: (response: ServerResponse) => void;
let requests: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vigil-models-'));
  requests = 0;
  answer = (response) => response.end(weights);
  server = createServer((_, response) => {
    requests++;
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await writeFile(join(directory, 'labels.txt'), 'cat\ndog\n');
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest()));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

function manifest(): unknown {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const common = { licence: 'MIT', input: { width: 64, height: 64 }, labels: 'labels.txt' };
  return {
    models: [
      {
        ...common,
        ...{ name: 'small', source: 'download', file: 'small.onnx', family: 'yolox' },
        url: `http://127.0.0.1:${port}/small.onnx`,
        ...{ size: weights.length, sha256 },
        alternatives: [
          {
            size: otherExport.length,
            sha256: createHash('sha256').update(otherExport).digest('hex'),
            about: 'another export',
          },
        ],
      },
      {
        ...common,
        ...{ name: 'built-in', source: 'package', package: '@vladmandic/human', graph: 'models/centernet.json' },
        family: 'centernet',
      },
    ],
    fallback: 'built-in',
  };
}

function store(options: Partial<ModelStoreOptions> = {}): ModelStore {
  return new ModelStore({
    ...{ modelsDir: join(directory, 'weights'), cacheDir: join(directory, 'cache') },
    ...{ manifestDir: directory, allowDownload: true },
    ...options,
  });
}

const files = async (): Promise<string[]> => readdir(join(directory, 'weights')).catch(() => []);

describe('weights of the manifest', () => {
  it('are downloaded once, with progress, and found the next time', async () => {
    const progress: [string, number, number][] = [];
    const model = await store({ onProgress: (...step) => progress.push(step) }).resolve('small');
    expect(model).toMatchObject({ name: 'small', labels: ['cat', 'dog'] });
    expect(model.note).toContain('downloaded');
    expect(await readFile(model.path)).toEqual(weights);
    expect(progress.at(-1)).toEqual(['small', weights.length, weights.length]);
    expect(await files()).toEqual(['small.onnx']);
    const again = await store().resolve('small');
    expect(again.note).not.toContain('downloaded');
    expect(requests).toBe(1);
  });

  it('may be another export that the manifest accepts', async () => {
    await writeFile(join(directory, 'small.onnx'), otherExport);
    const model = await store({ modelsDir: directory }).resolve('small');
    expect(model).toMatchObject({ name: 'small', path: join(directory, 'small.onnx') });
    expect(requests).toBe(0);
  });

  it.each([
    ['a wrong file', Buffer.from('something else')],
    ['a truncated file', weights.subarray(0, 1000)],
    ['an empty file', Buffer.alloc(0)],
  ])(
    'are refused when %s lies in their place, saying what was expected, what was found and what to do',
    async (_, bytes) => {
      await writeFile(join(directory, 'small.onnx'), bytes);
      const got = createHash('sha256').update(bytes).digest('hex');
      await expect(store({ modelsDir: directory }).resolve('small')).rejects.toMatchObject({
        code: 'model.wrong_file',
        message: expect.stringMatching(new RegExp(`expected sha256 ${sha256} .*got sha256 ${got}.*Delete it`)),
      });
      expect(requests).toBe(0);
    },
  );

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['is not there', (response) => response.writeHead(404).end('no such file'), /answered 404/],
    ['is another file', (response) => response.end(Buffer.alloc(weights.length)), /expected sha256 [0-9a-f]{64}, got/],
    ['is cut short', (response) => response.end(weights.subarray(0, 500)), /ended after 500 of \d+ bytes/],
    [
      'breaks off',
      (response) => {
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 500), () => response.destroy());
      },
      /terminated/,
    ],
    ['has no end', endless, /longer than the expected/],
    ['stalls', (response) => response.write(weights.subarray(0, 10)), /took more than 500 ms/],
  ])(
    'that cannot be had because the download %s leave nothing behind and give way to the built-in model',
    async (_, serve, reason) => {
      answer = serve;
      const model = await store({ downloadTimeoutMs: 500 }).resolve('small');
      expect(model.name).toBe('built-in');
      expect(model.note).toMatch(/^Model built-in runs.*in place of small/);
      expect(model.note).toMatch(reason);
      expect(await files()).toEqual([]);
    },
  );

  it('are not asked for when downloads are off', async () => {
    const model = await store({ allowDownload: false }).resolve('small');
    expect(model.name).toBe('built-in');
    expect(model.note).toContain('MODEL_DOWNLOAD is off');
    expect(requests).toBe(0);
  });

  it('go through the given fetch', async () => {
    const asked: string[] = [];
    const refuse = (url: string): Promise<Response> => {
      asked.push(url);
      return Promise.reject(new Error('refused by the rules'));
    };
    const model = await store({ fetch: refuse }).resolve('small');
    expect(asked).toEqual([expect.stringContaining('/small.onnx')]);
    expect(model.note).toContain('refused by the rules');
    expect(requests).toBe(0);
  });

  it('are not waited for when aborted', async () => {
    const interrupt = new AbortController();
    answer = () => interrupt.abort();
    await expect(store().resolve('small', interrupt.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await files()).toEqual([]);
  });
});

describe('the built-in model', () => {
  it('is converted once and kept, and made anew when the copy is damaged', async () => {
    const { path } = await store().resolve('built-in');
    const { size, mtimeMs } = await stat(path);
    expect(size).toBeGreaterThan(1_000_000);
    await store().resolve('built-in');
    expect((await stat(path)).mtimeMs).toBe(mtimeMs);
    await writeFile(path, 'damaged');
    await store().resolve('built-in');
    expect((await stat(path)).size).toBe(size);
  });

  it('that cannot be kept says so together with why the wanted one is missing', async () => {
    await writeFile(join(directory, 'cache'), 'a file, not a directory');
    await expect(store({ allowDownload: false }).resolve('small')).rejects.toMatchObject({
      code: 'model.not_found',
      message: expect.stringMatching(/^No model can run\. small: .*MODEL_DOWNLOAD is off.*built-in.*cannot be kept/),
    });
  });
});

describe("an operator's own model", () => {
  it('brings its labels in a text file of the same name', async () => {
    const path = join(directory, 'mine.ONNX');
    await writeFile(path, 'weights');
    await writeFile(join(directory, 'mine.txt'), '\uFEFFhelmet\r\nvest \r\n\r\n');
    const model = await store().resolve(path);
    expect(model).toMatchObject({ name: 'mine', path, labels: ['helmet', 'vest'] });
  });

  it('is known by its hash where it has no labels of its own', async () => {
    const path = join(directory, 'renamed.onnx');
    await writeFile(path, otherExport);
    expect(await store().resolve(path)).toMatchObject({ name: 'small', path, labels: ['cat', 'dog'] });
    expect(requests).toBe(0);
  });

  it.each([
    ['no labels', null],
    ['empty labels', '\n\n'],
    ['a gap in its labels', 'helmet\n\nvest'],
  ])('with %s is refused', async (_, labels) => {
    await writeFile(join(directory, 'mine.onnx'), 'weights');
    if (labels !== null) await writeFile(join(directory, 'mine.txt'), labels);
    await expect(store().resolve(join(directory, 'mine.onnx'))).rejects.toMatchObject({
      code: 'model.labels_missing',
      message: expect.stringContaining('mine.txt'),
    });
  });

  it('must be there', async () => {
    await expect(store().resolve(join(directory, 'none.onnx'))).rejects.toMatchObject({ code: 'model.not_found' });
    await expect(store().resolve(directory)).rejects.toMatchObject({ code: 'model.not_found' });
    await expect(store().resolve('yolo-of-my-dreams')).rejects.toMatchObject({
      code: 'model.unknown',
      message: expect.stringContaining('small, built-in'),
    });
  });
});

describe('the manifest of the project', () => {
  it('is valid, and every model has its labels', async () => {
    const { models } = await readManifest();
    expect(models.map(({ name }) => name)).toContain('yolox-nano');
    for (const { labels } of models) {
      expect((await readFile(join(manifestDirectory, labels), 'utf8')).trim().split('\n')).toHaveLength(80);
    }
  });

  it('is refused with a wrong hash, two models of a name or a fallback that must be downloaded', () => {
    const good = ModelManifest.parse(manifest());
    expect(ModelManifest.safeParse({ ...good, fallback: 'small' }).success).toBe(false);
    expect(ModelManifest.safeParse({ ...good, models: [...good.models, good.models[0]] }).success).toBe(false);
    expect(ModelManifest.safeParse({ ...good, models: [{ ...good.models[0], sha256: 'abc' }] }).success).toBe(false);
  });

  it('that cannot be read names its file', async () => {
    await writeFile(join(directory, 'manifest.json'), '{');
    await expect(store().resolve('small')).rejects.toMatchObject({ code: 'model.manifest_invalid' });
  });
});

function endless(response: ServerResponse): void {
  const more = (): void => {
    if (response.destroyed) return;
    if (response.write(weights)) setImmediate(more);
    else response.once('drain', more);
  };
  more();
}
