import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { made } from '../../speech/sound.fixture.js';
import { SherpaEngine } from './sherpa-engine.js';
import { HOST_DEFAULTS, type HostLimits } from './sherpa-host.js';
import { writeTinyWhisper } from './tiny-whisper.fixture.js';

const sentence = 'the quick brown fox jumps';
const pcm = made(3, (at) => 0.3 * Math.sin(2 * Math.PI * 300 * at));
let folder: string;
let engine: SherpaEngine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-asr-'));
  await writeTinyWhisper(folder, sentence);
});
afterEach(async () => {
  await engine.stop();
  await rm(folder, { recursive: true });
});

function make(limits: Partial<HostLimits> = {}, wanted = folder): SherpaEngine {
  engine = new SherpaEngine(
    { wanted, modelsDir: folder },
    { ...HOST_DEFAULTS, firstRetryMs: 1, longestRetryMs: 2, ...limits },
  );
  return engine;
}
function pidOf(): number {
  if (engine.pid === null) throw new Error('There is no child.');
  return engine.pid;
}

describe('SherpaEngine', () => {
  it('survives kill -9 of its child: the utterance under way is tried again, and the next ones work', async () => {
    await make().start();
    const before = pidOf();
    const asked = Promise.all([engine.transcribe({ pcm }), engine.transcribe({ pcm })]);
    process.kill(before, 'SIGKILL');
    expect((await asked).map(({ text }) => text)).toEqual([sentence, sentence]);
    expect(engine.restarts).toBe(1);
    expect(pidOf()).not.toBe(before);
    expect(engine.state().state).toBe('ready');
  });

  it('tries an utterance once more and no more, when every child dies of it', async () => {
    await make().start();
    const killer = setInterval(() => engine.pid !== null && process.kill(engine.pid, 'SIGKILL'), 1);
    await expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.failed' });
    clearInterval(killer);
    expect((await engine.transcribe({ pcm })).text).toBe(sentence);
  });

  it('calls itself degraded after three failures in a row, and ready again after a success', async () => {
    await make().start();
    const killer = setInterval(() => engine.pid !== null && process.kill(engine.pid, 'SIGKILL'), 1);
    for (let time = 0; time < 3; time += 1) await expect(engine.transcribe({ pcm })).rejects.toThrow();
    clearInterval(killer);
    expect(engine.state().state).toBe('degraded');
    await engine.transcribe({ pcm });
    expect(engine.state().state).toBe('ready');
  });

  it('ends a child that does not answer in time, and goes on with another', async () => {
    await make({ hearTimeoutMs: 1_500 }).start();
    process.kill(pidOf(), 'SIGSTOP');
    await expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.timeout' });
    expect((await engine.transcribe({ pcm })).text).toBe(sentence);
  });

  it('replaces a child that has grown too large', async () => {
    await make({ maxMemoryBytes: 1 }).start();
    const before = pidOf();
    await engine.transcribe({ pcm });
    await engine.transcribe({ pcm });
    expect(engine.restarts).toBe(1);
    expect(engine.pid).not.toBe(before);
  });

  it('leaves no child behind when it is stopped while it works', async () => {
    await make().start();
    const pid = pidOf();
    const asked = expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.unavailable' });
    await engine.stop();
    await asked;
    expect(() => process.kill(pid, 0)).toThrow();
  });

  it('is degraded without weights, and says which command fetches them', async () => {
    await make({}, 'sherpa-onnx-whisper-tiny.en').start();
    expect(engine.state()).toMatchObject({ state: 'degraded', model: null });
    expect(engine.state().detail).toMatch(/^model missing: .*Fetch it: curl -fL .*tiny\.en\.tar\.bz2 .* tar -xjf /);
    await expect(engine.transcribe({ pcm })).rejects.toMatchObject({ code: 'asr.unavailable' });
  });

  it('is degraded by weights that cannot be read, though they end the child', async () => {
    await truncate(join(folder, 'table-decoder.onnx'), 100);
    await make().start();
    expect(engine.state().state).toBe('degraded');
    expect(engine.state().detail).toMatch(/failed/);
    expect(engine.pid).toBeNull();
  });

  it('tells the families apart by their files, and refuses a folder that is none', async () => {
    await rm(join(folder, 'table-tokens.txt'));
    await make().start();
    expect(engine.state().detail).toMatch(/tokens\.txt/);
    await writeFile(join(folder, 'table-tokens.txt'), 'broken');
    await make({}, 'no-such-model').start();
    expect(engine.state().detail).toMatch(/Choose one of/);
  });
});
