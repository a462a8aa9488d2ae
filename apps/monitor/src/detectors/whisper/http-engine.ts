import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { AsrEngine, AsrSound, AsrState, AsrText } from './asr.port.js';
import { wavOf } from '../../speech/wav.js';

/** How an OpenAI-compatible server is reached. */
export interface HttpEngineOptions {
  /** Up to and without `/v1`. */
  baseUrl: string;
  model: string;
  apiKey?: string | undefined;
  /** Code of the language; empty to let the server find out. */
  language?: string | undefined;
  /** Goes out. */
  fetch: (url: URL, init: RequestInit) => Promise<Response>;
  /** For one utterance; 30 s when not given. */
  timeoutMs?: number | undefined;
}

const Answer = z.object({ text: z.string().max(20_000), language: z.string().optional() });
const MAX_ANSWER_BYTES = 2 ** 20;
/** Failures in a row after which the engine calls itself degraded. */
const PATIENCE = 3;

/** `POST /v1/audio/transcriptions` of the OpenAI API, as servers for GPUs (faster-whisper, vLLM) speak it too. */
export class HttpEngine implements AsrEngine {
  readonly descriptor: AdapterDescriptor = { id: 'openai', title: 'Speech (OpenAI-compatible server)', options: {} };
  private current: AsrState = { state: 'loading', detail: 'The speech server was not asked yet.', model: null };
  private failures = 0;
  private readonly stopping = new AbortController();

  constructor(private readonly options: HttpEngineOptions) {}

  state(): AsrState {
    return this.current;
  }

  start(): Promise<void> {
    const { baseUrl, model } = this.options;
    const usable = URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol);
    this.current = usable
      ? { state: 'ready', detail: `Speech goes to ${new URL(baseUrl).host}, model ${model}.`, model }
      : { state: 'degraded', detail: 'The url of the speech server is not an http url.', model: null };
    return Promise.resolve();
  }

  async transcribe({ pcm }: AsrSound, signal?: AbortSignal): Promise<AsrText> {
    signal?.throwIfAborted();
    if (this.stopping.signal.aborted || this.current.model === null) {
      throw new AppError('asr.unavailable', 'operational', `Speech is not written down: ${this.current.detail}`);
    }
    const timeout = AbortSignal.timeout(this.options.timeoutMs ?? 30_000);
    const cancel = AbortSignal.any([timeout, this.stopping.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      const { text, language } = await this.ask(pcm, cancel);
      this.note(null);
      const { model } = this.options;
      return { text: text.trim(), language: language ?? null, engine: this.descriptor.id, model };
    } catch (error) {
      signal?.throwIfAborted();
      if (this.stopping.signal.aborted) {
        throw new AppError('asr.unavailable', 'operational', 'The speech engine was stopped.');
      }
      this.note(messageOf(error));
      const code = timeout.aborted ? 'asr.timeout' : 'asr.failed';
      const sentence = `The speech server failed: ${messageOf(error)}.`;
      throw new AppError(code, 'operational', sentence, {}, { cause: error });
    }
  }

  stop(): Promise<void> {
    this.stopping.abort();
    this.current = { state: 'degraded', detail: 'The speech engine was stopped.', model: null };
    return Promise.resolve();
  }

  private async ask(pcm: Int16Array, signal: AbortSignal): Promise<z.infer<typeof Answer>> {
    const { baseUrl, model, apiKey, language } = this.options;
    const body = new FormData();
    body.set('file', new Blob([wavOf(pcm)], { type: 'audio/wav' }), 'utterance.wav');
    body.set('model', model);
    body.set('response_format', 'json');
    body.set('temperature', '0');
    if (language !== undefined && language !== '') body.set('language', language);
    const headers: Record<string, string> = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    const url = new URL(`${baseUrl.replace(/\/+$/, '')}/v1/audio/transcriptions`);
    const response = await this.options.fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    const text = await readBounded(response);
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return Answer.parse(JSON.parse(text));
  }

  private note(failure: string | null): void {
    const { baseUrl, model } = this.options;
    this.failures = failure === null ? 0 : this.failures + 1;
    const { host } = new URL(baseUrl);
    if (failure === null) this.current = { state: 'ready', detail: `Speech goes to ${host}, model ${model}.`, model };
    else if (this.failures >= PATIENCE) {
      this.current = { state: 'degraded', detail: `The speech server ${host} fails: ${failure}.`, model };
    }
  }
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const part of body) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('its answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
