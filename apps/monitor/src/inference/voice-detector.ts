import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { NativeGate } from './native-gate.js';
import { threadEnder } from './pool-worker.js';
import { RestartBudget } from './restart-budget.js';
import { VoiceMessage, type VoiceAsk, type VoiceStart } from './voice-messages.js';

/** What the voice detector needs beyond its defaults. */
export interface VoiceDetectorOptions {
  /** The `.onnx`; Silero VAD v6 out of the package that carries it when not given. */
  modelPath?: string;
  /** ms since any start; the machine's steady clock when not given. */
  now?: () => number;
}

const entry = new URL('./voice-worker.js', import.meta.url);
const carrier = '@ricky0123/vad-web';
const START_TIMEOUT_MS = 30_000;
/** Asks under way at most; each stream has one. */
const MOST_ASKS = 1_000;

/** The thread that runs, and what ends it. */
interface Thread {
  worker: Worker;
  end: () => Promise<void>;
}

interface Asked {
  resolve: (probabilities: Float32Array) => void;
  reject: (error: Error) => void;
}

/**
 * Path of the Silero VAD v6 weights that an npm package carries.
 * @throws AppError `model.package_missing`
 */
export function packagedVoiceModel(): string {
  const roots = createRequire(import.meta.url).resolve.paths(carrier) ?? [];
  const paths = roots.map((root) => join(root, carrier, 'dist', 'silero_vad_v6.onnx'));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new AppError(
    'model.package_missing',
    'operational',
    `The optional package ${carrier}, which carries the voice model, is not installed: run \`npm install\`.`,
    { package: carrier },
  );
}

/** Tells how likely each frame of sound holds speech. One thread and one session serve every stream. */
export class VoiceDetector {
  private readonly asked = new Map<number, Asked>();
  private readonly restarts: RestartBudget;
  private thread: Promise<Thread> | null = null;
  private running: Thread | null = null;
  private nextId = 0;
  private stopped = false;

  constructor(private readonly options: VoiceDetectorOptions = {}) {
    this.restarts = new RestartBudget(5, 60_000, options.now ?? (() => performance.now()));
  }

  /**
   * Starts the thread; {@link hear} does so by itself.
   * @throws AppError `model.package_missing`, `model.unreadable`, `model.unknown_layout`, `inference.unavailable`
   */
  async start(): Promise<void> {
    await this.started();
  }

  /**
   * Probability of speech, 0 to 1, of each whole frame of 512 samples (16 kHz, -1 to 1). Asks of one stream are
   * answered in order; its memory of the stream is kept between them unless `fresh`.
   * @throws AppError as {@link start}; `inference.failed`; `inference.unavailable` when the thread was lost
   */
  async hear(stream: string, samples: Float32Array<ArrayBuffer>, fresh: boolean): Promise<Float32Array> {
    const { worker } = await this.started();
    if (this.asked.size >= MOST_ASKS) throw unavailable('too much is asked of it at once');
    const id = (this.nextId += 1);
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      const ask: VoiceAsk = { type: 'hear', id, stream, samples, fresh };
      worker.postMessage(ask);
    });
  }

  /** Frees what is kept of a stream that ended. */
  forget(stream: string): void {
    const ask: VoiceAsk = { type: 'forget', stream };
    this.running?.worker.postMessage(ask);
  }

  /** Ends the thread; what is under way is rejected. */
  async stop(): Promise<void> {
    this.stopped = true;
    const thread = await this.thread?.catch(() => null);
    this.fail('it was stopped');
    await thread?.end();
  }

  private started(): Promise<Thread> {
    if (this.stopped) return Promise.reject(unavailable('it was stopped'));
    if (this.thread !== null) return this.thread;
    const waitMs = this.restarts.take();
    if (waitMs > 0) return Promise.reject(unavailable(`it failed too often; the next try is in ${waitMs} ms`));
    const starting = this.launch();
    this.thread = starting;
    starting.catch(() => {
      if (this.thread === starting) this.thread = null;
    });
    return starting;
  }

  private async launch(): Promise<Thread> {
    const gate = new NativeGate();
    const workerData: VoiceStart = { modelPath: this.options.modelPath ?? packagedVoiceModel(), gate: gate.memory };
    const worker = new Worker(entry, { workerData });
    const thread = { worker, end: threadEnder(worker, gate) };
    let ready = false;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => lose(`it was not ready after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
        const lose = (reason: string): void => {
          clearTimeout(timer);
          if (ready) this.lose(thread, reason);
          else reject(unavailable(reason));
        };
        worker.on('error', (error) => lose(messageOf(error)));
        worker.on('exit', (code) => lose(`it ended with code ${code}`));
        worker.on('message', (message: unknown) => {
          const parsed = VoiceMessage.safeParse(message);
          if (!parsed.success) return lose('it sent something that is not understood');
          const said = parsed.data;
          if (said.type === 'refused') {
            clearTimeout(timer);
            return reject(new AppError(said.code, 'operational', said.message));
          }
          if (said.type !== 'ready') return this.settle(said);
          clearTimeout(timer);
          ready = true;
          resolve();
        });
      });
    } catch (error) {
      await thread.end();
      throw error;
    }
    this.running = thread;
    return thread;
  }

  private settle(said: Extract<VoiceMessage, { type: 'done' | 'failed' }>): void {
    const asked = this.asked.get(said.id);
    this.asked.delete(said.id);
    if (said.type === 'done') asked?.resolve(said.probabilities);
    else asked?.reject(new AppError('inference.failed', 'operational', `The voice model failed: ${said.message}`));
  }

  private lose(thread: Thread, reason: string): void {
    if (this.running !== thread) return;
    this.running = null;
    this.thread = null;
    void thread.end();
    this.fail(reason);
  }

  private fail(reason: string): void {
    for (const { reject } of this.asked.values()) reject(unavailable(reason));
    this.asked.clear();
  }
}

function unavailable(reason: string): AppError {
  return new AppError('inference.unavailable', 'operational', `The voice thread is not there: ${reason}.`);
}
