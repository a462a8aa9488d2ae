import { availableParallelism } from 'node:os';
import { AppError } from '#libs/errors/app-error.js';
import { ModelStore } from '../inference/model-store.js';
import type { Fetch } from '../inference/model-download.js';
import type { VideoDetector } from './detector.port.js';
import { YoloDetector } from './yolo/yolo-detector.js';

/** What detectors are made from; the values of the settings of the same meaning. */
export interface VideoDetectorOptions {
  /** `MODEL` */
  model: string;
  /** `MODELS_DIR` */
  modelsDir: string;
  /** `MODEL_DOWNLOAD` */
  allowDownload: boolean;
  /** `INFERENCE_THREADS`; the number of cores less one when not given. */
  threads?: number | undefined;
  /** Where converted weights are kept; `.vigil/models` in the project when not given. */
  cacheDir?: string;
  /** Goes out for weights; the global `fetch` when not given. */
  fetch?: Fetch;
  /** Told as weights come in: bytes so far, bytes in all. */
  onProgress?: (model: string, bytes: number, total: number) => void;
}

/** Every detector that looks at pictures. A new one is a folder and a line here. */
export function createVideoDetectors(options: VideoDetectorOptions): VideoDetector[] {
  const { model, threads = Math.max(1, availableParallelism() - 1) } = options;
  return [new YoloDetector({ model, threads, store: new ModelStore(options) })];
}

/**
 * The detector that looks at the pictures of this process, by its id: the value of `VIDEO_DETECTOR`.
 * @throws AppError `detector.unknown`
 */
export function createVideoDetector(id: string, options: VideoDetectorOptions): VideoDetector {
  const all = createVideoDetectors(options);
  const found = all.find(({ descriptor }) => descriptor.id === id);
  if (found !== undefined) return found;
  const known = all.map(({ descriptor }) => descriptor.id).join(', ');
  throw new AppError('detector.unknown', 'user', `There is no video detector "${id}"; there are: ${known}.`);
}
