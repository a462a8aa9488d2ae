import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '#libs/config/environment.js';
import { itWithData } from '#libs/testing/test-data.js';
import { writeTinyWhisper } from '../apps/monitor/src/detectors/whisper/tiny-whisper.fixture.js';
import { chords, made } from '../apps/monitor/src/speech/sound.fixture.js';
import { wavOf } from '../apps/monitor/src/speech/wav.js';
import { wordErrors } from './try-speech/word-errors.js';

const tool = fileURLToPath(new URL('./try-speech.js', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-try-'));
});
afterAll(() => rm(folder, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; lines: Record<string, unknown>[]; errors: string }> {
  const env = childEnvironment({ MODELS_DIR: folder });
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { env, timeout: 60_000 }, (error, stdout, errors) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      const lines = stdout.split('\n').filter((line) => line !== '');
      resolve({ code, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), errors });
    });
  });
}

describe('try-speech', () => {
  it('hears no utterance in music, and without weights says which command fetches them', async () => {
    const file = join(folder, 'music.wav');
    await writeFile(file, wavOf(made(3, chords)));
    const { code, lines, errors } = await run(file);
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(errors).toMatch(/0 utterances[^]*model missing[^]*curl -fL/);
  });

  it('refuses what is no WAV file of its kind, and says how to convert it', async () => {
    const file = join(folder, 'not.wav');
    await writeFile(file, 'RIFF');
    expect(await run(file)).toMatchObject({ code: 1, errors: expect.stringContaining('ffmpeg -i') });
  });

  itWithData('goes from sound through the true engine to text and word error rate', ['speech/jfk.wav'], async (wav) => {
    const model = await mkdtemp(join(folder, 'table-'));
    await writeTinyWhisper(model, 'ask not what your country can do for you');
    const { code, lines } = await run(wav, '--model', model);
    expect(code).toBe(0);
    const ends = lines.slice(0, -1).map((line) => Number(line['endMs']));
    expect(ends).toHaveLength(4);
    // The recording is 11 s long; nothing was said after its end.
    expect(Math.max(...ends)).toBeLessThanOrEqual(11_000);
    expect(lines[0]).toMatchObject({ text: 'ask not what your country can do for you', engine: 'sherpa', filters: [] });
    expect(lines[1]).toMatchObject({ text: null, filters: ['exact_repeat'] });
    // The table says nine words of the twenty-two, whatever it hears.
    expect(lines.at(-1)).toEqual({ words: 22, errors: 13, wordErrorRate: 0.591 });
  });
});

it('counts word errors without case and punctuation', () => {
  expect(wordErrors('Ask not, what', 'ask NOT what')).toEqual({ words: 3, errors: 0, wordErrorRate: 0 });
  expect(wordErrors('a b c d', 'a x c d e')).toEqual({ words: 4, errors: 2, wordErrorRate: 0.5 });
  expect(wordErrors('a b', '')).toEqual({ words: 2, errors: 2, wordErrorRate: 1 });
});
