import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { bytesOf } from '../../speech/pcm.js';
import type { AsrEngine, AsrSound, AsrState, AsrText } from './asr.port.js';
import { SherpaHost, type HostLimits } from './sherpa-host.js';
import { resolveSpeechModel, type SpeechModelWish } from './speech-models.js';

/** Failures in a row after which the engine calls itself degraded. */
const PATIENCE = 3;

/** sherpa-onnx in a child process: Whisper, Moonshine, SenseVoice, Parakeet and Zipformer models. */
export class SherpaEngine implements AsrEngine {
  readonly descriptor: AdapterDescriptor = { id: 'sherpa', title: 'Speech (sherpa-onnx)', options: {} };
  private host: SherpaHost | null = null;
  private current: AsrState = { state: 'loading', detail: 'The speech model is being loaded.', model: null };
  private starting: Promise<void> | null = null;
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly wish: SpeechModelWish,
    private readonly limits?: HostLimits,
  ) {}

  /** Process id of the child; null while there is none. */
  get pid(): number | null {
    return this.host?.pid ?? null;
  }

  /** Children that were lost or replaced. */
  get restarts(): number {
    return this.host?.restarts ?? 0;
  }

  state(): AsrState {
    return this.current;
  }

  start(): Promise<void> {
    return (this.starting ??= this.load());
  }

  async transcribe({ pcm }: AsrSound, signal?: AbortSignal): Promise<AsrText> {
    signal?.throwIfAborted();
    const { host, current } = this;
    if (this.stopped || host === null || current.model === null) {
      throw new AppError('asr.unavailable', 'operational', `Speech is not written down: ${current.detail}`);
    }
    const { model } = current;
    try {
      const { text, language } = await host.hear(bytesOf(pcm), signal);
      this.note(model, null);
      return { text: text.trim(), language: language === '' ? null : language, engine: this.descriptor.id, model };
    } catch (error) {
      if (signal?.aborted !== true) this.note(model, messageOf(error));
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.host?.stop();
    await this.starting;
    this.current = { state: 'degraded', detail: 'The speech engine was stopped.', model: null };
  }

  private async load(): Promise<void> {
    try {
      const { name, model } = await resolveSpeechModel(this.wish);
      if (this.stopped) return;
      const host = new SherpaHost(model, this.limits);
      this.host = host;
      await host.start();
      this.note(name, null);
    } catch (error) {
      await this.host?.stop();
      this.host = null;
      this.current = { state: 'degraded', detail: messageOf(error), model: null };
    }
  }

  private note(model: string, failure: string | null): void {
    if (this.stopped) return;
    this.failures = failure === null ? 0 : this.failures + 1;
    if (failure === null) this.current = { state: 'ready', detail: `Speech model ${model} runs.`, model };
    else if (this.failures >= PATIENCE) this.current = { state: 'degraded', detail: failure, model };
  }
}
