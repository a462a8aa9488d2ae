import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { AppError } from '#libs/errors/app-error.js';
import type { AsrEngine, AsrSound, AsrState, AsrText } from './asr.port.js';

/** For tests only: says what it was told to say, whatever it hears, and names itself in every transcript. */
export class ScriptedEngine implements AsrEngine {
  readonly descriptor: AdapterDescriptor = { id: 'scripted', title: 'Scripted (for tests)', options: {} };
  /** What it was shown, in order. */
  readonly heard: Int16Array[] = [];
  private current: AsrState = { state: 'loading', detail: 'The script is not open yet.', model: null };

  constructor(private readonly script: (index: number, pcm: Int16Array) => string | Error) {}

  state(): AsrState {
    return this.current;
  }

  start(): Promise<void> {
    this.current = { state: 'ready', detail: 'A script stands in for speech recognition.', model: 'script' };
    return Promise.resolve();
  }

  async transcribe({ pcm }: AsrSound, signal?: AbortSignal): Promise<AsrText> {
    signal?.throwIfAborted();
    if (this.current.model === null) throw new AppError('asr.unavailable', 'operational', this.current.detail);
    const text = this.script(this.heard.push(pcm) - 1, pcm);
    if (text instanceof Error) throw text;
    return Promise.resolve({ text: `[scripted] ${text}`, language: null, engine: this.descriptor.id, model: 'script' });
  }

  stop(): Promise<void> {
    this.current = { state: 'degraded', detail: 'The script is closed.', model: null };
    return Promise.resolve();
  }
}
