import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { CapturedFrame, FrameFormat } from '../../capture/frame.js';
import type { ModelStore, ResolvedModel } from '../../inference/model-store.js';
import { WorkerPool, type WorkerPoolStats } from '../../inference/worker-pool.js';
import type { DetectorState, VideoDetector } from '../detector.port.js';

export interface YoloDetectorOptions {
  /** Name of the manifest or path of an `.onnx`. */
  model: string;
  store: ModelStore;
  /** Number of inference threads. */
  threads: number;
}

/** Finds objects with a YOLO-like network: YOLOX, Ultralytics v5, v8 and 11, or the built-in CenterNet. */
export class YoloDetector implements VideoDetector {
  readonly descriptor: AdapterDescriptor = { id: 'yolo', title: 'Objects in the picture', options: {} };
  private loaded: { model: ResolvedModel; pool: WorkerPool } | null = null;
  private fault: string | null = null;
  private stopping = new AbortController();
  private starting: Promise<void> | null = null;

  constructor(private readonly options: YoloDetectorOptions) {}

  get frameFormat(): FrameFormat | null {
    return this.loaded?.pool.format ?? null;
  }

  /** Counters of inference; null while there is no model. */
  get stats(): WorkerPoolStats | null {
    return this.loaded?.pool.stats() ?? null;
  }

  pace(): { perSecond: number; queued: number } | null {
    const pool = this.loaded?.pool;
    const perSecond = pool?.perSecond ?? null;
    return pool === undefined || perSecond === null ? null : { perSecond, queued: pool.stats().queued };
  }

  state(): DetectorState {
    if (this.loaded === null) {
      const state = this.fault === null ? 'loading' : 'degraded';
      return { state, detail: this.fault ?? `Model ${this.options.model} is loading.`, model: null, labels: [] };
    }
    const { model, pool } = this.loaded;
    const { trouble } = pool;
    const detail = trouble === null ? model.note : `Video is not inspected: ${trouble}.`;
    return { state: trouble === null ? 'ready' : 'degraded', detail, model: model.name, labels: model.labels };
  }

  start(): Promise<void> {
    this.starting ??= this.load();
    return this.starting;
  }

  async inspect(
    frame: Pick<CapturedFrame, 'pixels' | 'source'>,
    minScore: number,
    signal?: AbortSignal,
    spare = false,
  ): Promise<DetectedObject[]> {
    if (this.loaded === null) throw new AppError('inference.unavailable', 'operational', this.state().detail);
    const { model, pool } = this.loaded;
    const found = await pool.infer(frame.pixels, frame.source, minScore, signal, spare);
    return found.map(({ classIndex, score, box }) => ({
      label: model.labels[classIndex] ?? `${classIndex}`,
      score: rounded(score, 1e4),
      box: [rounded(box[0], 10), rounded(box[1], 10), rounded(box[2], 10), rounded(box[3], 10)],
    }));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.starting;
    const pool = this.loaded?.pool;
    this.loaded = null;
    this.fault = 'Video is not inspected: the detector was stopped.';
    await pool?.stop();
  }

  private async load(): Promise<void> {
    const { signal } = this.stopping;
    try {
      const model = await this.options.store.resolve(this.options.model, signal);
      signal.throwIfAborted();
      const pool = new WorkerPool({
        modelPath: model.path,
        classes: model.labels.length,
        threads: this.options.threads,
      });
      const abort = (): void => void pool.stop();
      signal.addEventListener('abort', abort, { once: true });
      await pool.start().finally(() => signal.removeEventListener('abort', abort));
      this.loaded = { model, pool };
    } catch (error) {
      this.fault = `Video is not inspected: ${messageOf(error)}`;
    }
  }
}

/** Digits beyond a tenth of a pixel or of a per mille say nothing and cost bytes on every way. */
function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
