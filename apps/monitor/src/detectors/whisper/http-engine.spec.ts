import { made } from '../../speech/sound.fixture.js';
import { samplesOfWav } from '../../speech/wav.js';
import { createAsrEngine } from './create-engine.js';
import { HttpEngine, type HttpEngineOptions } from './http-engine.js';

const pcm = made(1, (at) => 0.2 * Math.sin(900 * at));

function make(answer: HttpEngineOptions['fetch'], more: Partial<HttpEngineOptions> = {}): HttpEngine {
  return new HttpEngine({ baseUrl: 'http://gpu.test:8000/', model: 'small', fetch: answer, ...more });
}

describe('HttpEngine', () => {
  it('posts the sound as a WAV file the way the OpenAI API wants it', async () => {
    const asked: { url: string; authorization: string | null; body: FormData }[] = [];
    const engine = make(
      (url, init) => {
        const body = init.body instanceof FormData ? init.body : new FormData();
        asked.push({ url: url.href, authorization: new Headers(init.headers).get('authorization'), body });
        return Promise.resolve(Response.json({ text: ' Hello. ', language: 'en' }));
      },
      { apiKey: 'secret', language: 'en' },
    );
    await engine.start();
    expect(await engine.transcribe({ pcm })).toEqual({
      ...{ text: 'Hello.', language: 'en', engine: 'openai', model: 'small' },
    });
    const [request] = asked;
    expect(request).toMatchObject({ url: 'http://gpu.test:8000/v1/audio/transcriptions' });
    expect(request?.authorization).toBe('Bearer secret');
    expect(['model', 'language', 'response_format'].map((name) => request?.body.get(name))).toEqual([
      ...['small', 'en', 'json'],
    ]);
    const file = request?.body.get('file');
    if (!(file instanceof Blob)) throw new Error('No file was sent.');
    expect([...samplesOfWav(new Uint8Array(await file.arrayBuffer()), 'sent')]).toEqual([...pcm]);
  });

  it('is degraded after three failures in a row, and ready again after a success', async () => {
    let broken = true;
    const engine = make(() =>
      Promise.resolve(broken ? new Response('no', { status: 503 }) : Response.json({ text: 'x' })),
    );
    await engine.start();
    for (let time = 0; time < 3; time += 1) {
      await expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.failed' });
    }
    expect(engine.state()).toMatchObject({ state: 'degraded', detail: expect.stringContaining('503') });
    broken = false;
    await engine.transcribe({ pcm });
    expect(engine.state().state).toBe('ready');
  });

  it('gives up in time, and refuses an answer that is too long or is none', async () => {
    const hanging = make(
      (_, init) =>
        new Promise((_resolve, reject) => {
          init.signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        }),
      { timeoutMs: 20 },
    );
    await hanging.start();
    await expect(hanging.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.timeout' });
    for (const body of ['x'.repeat(2 ** 20 + 1), '{"words":1}', 'not json']) {
      const engine = make(() => Promise.resolve(new Response(body)));
      await engine.start();
      await expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.failed' });
    }
  });

  it('is degraded by a url that is none', async () => {
    const engine = make(() => Promise.reject(new Error('never asked')), { baseUrl: 'file:///etc' });
    await engine.start();
    expect(engine.state()).toMatchObject({ state: 'degraded', model: null });
  });
});

it('settings choose between the engines, and none of tests', () => {
  expect(createAsrEngine({ modelsDir: 'models' }).descriptor.id).toBe('sherpa');
  expect(createAsrEngine({ modelsDir: 'models', serverUrl: 'http://gpu.test' }).descriptor.id).toBe('openai');
  expect(createAsrEngine({ modelsDir: 'models', model: 'scripted' }).descriptor.id).toBe('sherpa');
});
