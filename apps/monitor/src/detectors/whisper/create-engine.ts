import type { AsrEngine } from './asr.port.js';
import { HttpEngine, type HttpEngineOptions } from './http-engine.js';
import { SherpaEngine } from './sherpa-engine.js';

/** What the speech engine is made from; the values of the settings of the same meaning. */
export interface AsrEngineOptions {
  /** `SPEECH_SERVER_URL`: an OpenAI-compatible server; without it sherpa-onnx runs here. */
  serverUrl?: string | undefined;
  /** `SPEECH_SERVER_KEY` */
  serverKey?: string | undefined;
  /** `SPEECH_MODEL`: name of the manifest, path of a folder, or the server's name of a model. */
  model?: string | undefined;
  /** `MODELS_DIR` */
  modelsDir: string;
  /** `SPEECH_LANGUAGE`: code of the language; empty to let the model find out. */
  language?: string | undefined;
  /** `SPEECH_THREADS`; 1 when not given. */
  threads?: number | undefined;
  /** How the server is reached; directly when not given. */
  fetch?: HttpEngineOptions['fetch'];
}

/** The engine that the settings ask for. Those of tests cannot be asked for. */
export function createAsrEngine(options: AsrEngineOptions): AsrEngine {
  const { serverUrl, serverKey, model, modelsDir, language, threads } = options;
  if (serverUrl === undefined) return new SherpaEngine({ wanted: model, modelsDir, language, threads });
  return new HttpEngine({
    ...{ baseUrl: serverUrl, apiKey: serverKey, model: model ?? 'whisper-1', language },
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
  });
}
