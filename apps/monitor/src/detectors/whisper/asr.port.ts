import type { AdapterDescriptor } from '#libs/contracts/monitors.js';

/** Whether an engine can do its work, and if not, what to do about it. */
export interface AsrState {
  state: 'ready' | 'degraded' | 'loading';
  /** A sentence for a person; says which model runs, or which command fetches the missing one. */
  detail: string;
  /** Name of the model that runs, null when none does. */
  model: string | null;
}

/** What is to be written down. */
export interface AsrSound {
  /** 16 kHz, mono. */
  pcm: Int16Array;
}

/** What was written down. */
export interface AsrText {
  /** As the engine gave it, trimmed; may be empty. */
  text: string;
  /** Code of the language as the engine names it, null when it does not say. */
  language: string | null;
  /** Id of the engine and name of the model, for every transcript says what made it. */
  engine: string;
  model: string;
}

/** Writes speech down. One instance serves every stream of the process. */
export interface AsrEngine {
  readonly descriptor: AdapterDescriptor;
  state(): AsrState;
  /** Loads the model. Never rejects for a missing or bad model: the state turns `degraded`. */
  start(): Promise<void>;
  /**
   * Writes one utterance down; they are taken one at a time, in the order of asking.
   * @throws AppError `asr.unavailable` when it is not ready or was stopped, `asr.timeout`, `asr.failed`; the reason of
   * `signal` when it is aborted
   */
  transcribe(sound: AsrSound, signal?: AbortSignal): Promise<AsrText>;
  stop(): Promise<void>;
}
