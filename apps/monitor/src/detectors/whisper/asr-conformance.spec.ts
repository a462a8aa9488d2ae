import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { made } from '../../speech/sound.fixture.js';
import type { AsrEngine } from './asr.port.js';
import { HttpEngine } from './http-engine.js';
import { ScriptedEngine } from './scripted-engine.fixture.js';
import { SherpaEngine } from './sherpa-engine.js';
import { writeTinyWhisper } from './tiny-whisper.fixture.js';

const sentence = 'ask not what your country can do for you';
const sound = made(3, (at) => 0.3 * Math.sin(2 * Math.PI * 300 * at));
let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-asr-'));
  await writeTinyWhisper(folder, sentence);
  server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify({ text: ` ${sentence}` })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

function port(): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

const engines: Record<string, () => AsrEngine> = {
  sherpa: () => new SherpaEngine({ wanted: folder, modelsDir: folder }),
  openai: () => new HttpEngine({ baseUrl: `http://127.0.0.1:${port()}`, model: 'whisper-1', fetch }),
  scripted: () => new ScriptedEngine(() => sentence),
};

describe.each(Object.keys(engines))('the speech engine %s', (id) => {
  let engine: AsrEngine;
  beforeEach(() => {
    const make = engines[id];
    if (make === undefined) throw new Error('There is no such engine.');
    engine = make();
  });
  afterEach(() => engine.stop());

  it('describes itself, and says that it loads and then what runs', async () => {
    expect(() => AdapterDescriptor.parse(engine.descriptor)).not.toThrow();
    expect(engine.descriptor.id).toBe(id);
    expect(engine.state()).toMatchObject({ state: 'loading', model: null });
    await Promise.all([engine.start(), engine.start()]);
    expect(engine.state()).toMatchObject({ state: 'ready', model: expect.any(String) });
    expect(engine.state().detail).toMatch(/\.$/);
  });

  it('turns sound into trimmed text that names what made it', async () => {
    await engine.start();
    const { text, ...made } = await engine.transcribe({ pcm: sound });
    expect(text).toContain(sentence);
    expect(text).toBe(text.trim());
    expect(made).toEqual({ engine: id, model: engine.state().model, language: null });
  });

  it('takes many at once and answers each, the very short too', async () => {
    await engine.start();
    const asked = [sound, sound.subarray(0, 1_600), new Int16Array(0), sound].map((pcm) => engine.transcribe({ pcm }));
    const answered = await Promise.all(asked);
    expect(answered.map(({ text }) => typeof text)).toEqual(['string', 'string', 'string', 'string']);
    expect(answered[3]?.text).toContain(sentence);
  });

  it('refuses before it is ready and after it was stopped, and rejects with the reason of an abort', async () => {
    const unavailable = expect.objectContaining({ code: 'asr.unavailable' });
    await expect(engine.transcribe({ pcm: sound })).rejects.toEqual(unavailable);
    await engine.start();
    const reason = new Error('enough');
    await expect(engine.transcribe({ pcm: sound }, AbortSignal.abort(reason))).rejects.toBe(reason);
    await engine.stop();
    await expect(engine.transcribe({ pcm: sound })).rejects.toEqual(unavailable);
    expect(engine.state()).toMatchObject({ state: 'degraded', model: null });
  });
});
