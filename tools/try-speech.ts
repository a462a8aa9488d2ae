import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { messageOf } from '#libs/errors/app-error.js';
import { SherpaEngine } from '../apps/monitor/src/detectors/whisper/sherpa-engine.js';
import { VoiceDetector } from '../apps/monitor/src/inference/voice-detector.js';
import { InventionFilterChain } from '../apps/monitor/src/speech/invention-filter.js';
import { SAMPLE_RATE } from '../apps/monitor/src/speech/pcm.js';
import { StreamEar } from '../apps/monitor/src/speech/stream-ear.js';
import type { Utterance } from '../apps/monitor/src/speech/utterance-cutter.js';
import { samplesOfWav } from '../apps/monitor/src/speech/wav.js';
import { wordErrors } from './try-speech/word-errors.js';

const usage = `Usage: npm run --silent try:speech -- <wav> [--model name|folder] [--language en] [--expect "the words"]

Says what is spoken in a WAV file (16 kHz, mono, 16 bit), one JSON line for each utterance:
  {"startMs","endMs","vadMean","text","engine","model","filters"}
and, where the words are known, one more: {"words","errors","wordErrorRate"}. Exit code 1 without weights.

  --model     name in models/speech-manifest.json, or folder with the .onnx files and tokens.txt
  --language  code of the language (default: the model's own choice)
  --expect    what is said in the file; known of itself for jfk.wav
  --help      this text
`;

/** What is said in recordings that are widely at hand, by the name of their file. */
const KNOWN_WORDS: Readonly<Record<string, string>> = {
  'jfk.wav': 'And so my fellow Americans ask not what your country can do for you ask what you can do for your country',
};
/** Pieces that the file is heard in, as if it came live. */
const PIECE = SAMPLE_RATE / 10;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { MODELS_DIR } = loadSettings({ MODELS_DIR: monitorSettings.MODELS_DIR });
  const engine = new SherpaEngine({ wanted: options.model, modelsDir: MODELS_DIR, language: options.language });
  const voice = new VoiceDetector();
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  try {
    const sound = samplesOfWav(await readFile(options.file), options.file);
    const utterances = await utterancesOf(sound, voice);
    process.stderr.write(`${utterances.length} utterances were heard.\n`);
    await engine.start();
    process.stderr.write(`${engine.state().detail}\n`);
    if (engine.state().state !== 'ready') {
      for (const utterance of utterances) print(summary(utterance));
      return 1;
    }
    const said = await writeDown(utterances, engine, interrupt.signal);
    const known = options.expect ?? KNOWN_WORDS[options.file.split(/[/\\]/).at(-1) ?? ''];
    if (known !== undefined) print(wordErrors(known, said));
    return 0;
  } catch (error) {
    process.stderr.write(`${interrupt.signal.aborted ? 'Interrupted.' : messageOf(error)}\n`);
    return interrupt.signal.aborted ? 130 : 1;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
    await Promise.all([engine.stop(), voice.stop()]);
  }
}

function parseOptions(args: string[]): {
  file: string;
  model: string | undefined;
  language: string | undefined;
  expect: string | undefined;
  help: boolean;
} {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      language: { type: 'string' },
      expect: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file = '', ...others] = positionals;
  if (!values.help && (file === '' || others.length > 0)) throw new Error('Name one WAV file.');
  return { file, model: values.model, language: values.language, expect: values.expect, help: values.help };
}

async function utterancesOf(sound: Int16Array, voice: VoiceDetector): Promise<Utterance[]> {
  await voice.start();
  const ear = new StreamEar('file', voice);
  const utterances: Utterance[] = [];
  for (let at = 0; at < sound.length; at += PIECE) {
    const piece = { startMs: (at * 1_000) / SAMPLE_RATE, samples: sound.subarray(at, at + PIECE) };
    utterances.push(...(await ear.hear(piece)).utterances);
  }
  return [...utterances, ...ear.end()];
}

/** Prints each utterance with its text, and gives all texts as one. */
async function writeDown(utterances: readonly Utterance[], engine: SherpaEngine, signal: AbortSignal): Promise<string> {
  const filters = new InventionFilterChain();
  const texts: string[] = [];
  for (const utterance of utterances) {
    const { text, ...by } = await engine.transcribe(utterance, signal);
    const { startMs, endMs, vadMean } = utterance;
    const verdict = filters.judge({ text, durationMs: endMs - startMs, vadMean });
    print({ ...summary(utterance), text: verdict.text, ...by, filters: verdict.filters });
    if (verdict.text !== null) texts.push(verdict.text);
  }
  return texts.join(' ');
}

function summary({ startMs, endMs, vadMean }: Utterance): object {
  return { startMs: Math.round(startMs), endMs: Math.round(endMs), vadMean: Math.round(vadMean * 100) / 100 };
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
