import type { OfflineRecognizer } from 'sherpa-onnx-node';
import { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';
import { SAMPLE_RATE, samplesOf } from '../../speech/pcm.js';
import { ChildAsk, type ChildMessage, type SherpaModel } from './child-messages.js';

const Recognized = z.object({ text: z.string(), lang: z.string().default('') });

/** Shorter sound is followed by silence: sherpa-onnx 1.13 crashes on none, and Whisper writes nothing under a second. */
const SHORTEST_SAMPLES = 1.2 * SAMPLE_RATE;

/** SenseVoice wraps the language in `<|en|>`. */
const plainLanguage = (language: string): string => language.replace(/[<|>]/g, '');

async function load({ family, files, tokens, language, threads }: SherpaModel): Promise<OfflineRecognizer> {
  const { default: sherpa } = await import('sherpa-onnx-node');
  const models: Record<SherpaModel['family'], object> = {
    whisper: { whisper: { ...files, language, task: 'transcribe', tailPaddings: -1 } },
    moonshine: { moonshine: files },
    sense_voice: { senseVoice: { ...files, language, useInverseTextNormalization: 1 } },
    transducer: { transducer: files },
    zipformer_ctc: { zipformerCtc: files },
    nemo_ctc: { nemoCtc: files },
  };
  return sherpa.OfflineRecognizer.createAsync({
    featConfig: { sampleRate: SAMPLE_RATE, featureDim: 80 },
    modelConfig: { ...models[family], tokens, numThreads: threads, provider: 'cpu', debug: 0 },
  });
}

async function recognize(recognizer: OfflineRecognizer, pcm: Uint8Array): Promise<{ text: string; language: string }> {
  const stream = recognizer.createStream();
  const sound = samplesOf(pcm);
  const samples = new Float32Array(Math.max(sound.length, SHORTEST_SAMPLES));
  for (const [index, sample] of sound.entries()) samples[index] = sample / 32_768;
  stream.acceptWaveform({ sampleRate: SAMPLE_RATE, samples });
  const { text, lang } = Recognized.parse(await recognizer.decodeAsync(stream));
  return { text, language: plainLanguage(lang) };
}

/** Serves the process that started this one, and ends with it. */
function serve(send: (message: ChildMessage) => void): void {
  let recognizer: Promise<OfflineRecognizer> | null = null;
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: unknown) => {
    const ask = ChildAsk.parse(message);
    const id = ask.type === 'load' ? null : ask.id;
    const answer = async (): Promise<ChildMessage> => {
      if (ask.type === 'load') {
        await (recognizer = load(ask.model));
        return { type: 'loaded' };
      }
      if (recognizer === null) throw new Error('no model was loaded');
      return { type: 'text', id: ask.id, ...(await recognize(await recognizer, ask.pcm)) };
    };
    answer().then(send, (error: unknown) => send({ type: 'failed', id, message: messageOf(error) }));
  });
}

if (process.send !== undefined) {
  const send = process.send.bind(process);
  serve((message) => send(message));
}
