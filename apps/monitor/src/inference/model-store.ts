import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { download, type Fetch } from './model-download.js';
import { identify, type FileIdentity } from './model-file.js';
import {
  manifestDirectory,
  readLabels,
  readManifest,
  type DownloadableModel,
  type ModelManifest,
  type PackagedModel,
} from './model-manifest.js';
import { convertedModel } from './packaged-model.js';

/** A model that can be loaded. */
export interface ResolvedModel {
  name: string;
  /** Path of the `.onnx`. */
  path: string;
  /** Label of each class, in the order of training. */
  labels: readonly string[];
  /** A sentence for a person: which model runs and why that one. */
  note: string;
}

export interface ModelStoreOptions {
  /** Where weights are looked for and downloaded to; a relative path is meant from the root of the project. */
  modelsDir: string;
  /** Where converted weights are kept; `.vigil/models` in the project when not given. */
  cacheDir?: string;
  /** Whether missing weights may be downloaded. */
  allowDownload: boolean;
  /** Goes out for weights; the global `fetch` when not given. */
  fetch?: Fetch;
  /** For one download. */
  downloadTimeoutMs?: number;
  /** Told as weights come in: bytes so far, bytes in all. */
  onProgress?: (model: string, bytes: number, total: number) => void;
  /** Directory of the manifest and label files; the project's own when not given. */
  manifestDir?: string;
}

/** Finds the weights of a model: at hand, downloaded, or out of an npm package. */
export class ModelStore {
  private readonly options: ModelStoreOptions;
  private readonly manifestDir: string;

  constructor(options: ModelStoreOptions) {
    this.options = options;
    this.manifestDir = options.manifestDir ?? manifestDirectory;
  }

  /**
   * Resolves a name of the manifest, or the path of an operator's own `.onnx` whose labels are in a `.txt` of the same
   * name. A missing file of the manifest is downloaded; failing that, the packaged model takes its place.
   * @throws AppError `model.unknown`, `model.not_found`, `model.wrong_file`, `model.labels_missing`,
   * `model.package_missing`, `model.unreadable`, `model.cache_failed`, `model.manifest_invalid`
   */
  async resolve(wanted: string, signal?: AbortSignal): Promise<ResolvedModel> {
    if (/\.onnx$/i.test(wanted) || /[/\\]/.test(wanted)) return this.own(wanted);
    const manifest = await readManifest(this.manifestDir);
    const model = manifest.models.find(({ name }) => name === wanted);
    if (model === undefined) {
      const known = manifest.models.map(({ name }) => name).join(', ');
      const sentence = `There is no model "${wanted}". Choose one of ${known}, or give the path of an .onnx file.`;
      throw new AppError('model.unknown', 'user', sentence, { model: wanted });
    }
    if (model.source === 'package') return this.packaged(model, `Model ${model.name} runs.`);
    const path = join(resolve(repositoryRoot, this.options.modelsDir), model.file);
    if (await this.verify(model, path)) return this.ready(model, path, `Model ${model.name} runs, from ${path}.`);
    try {
      await this.fetch(model, path, signal);
      return await this.ready(model, path, `Model ${model.name} runs, downloaded to ${path}.`);
    } catch (error) {
      signal?.throwIfAborted();
      return this.fallBack(manifest, model, messageOf(error));
    }
  }

  private async own(wanted: string): Promise<ResolvedModel> {
    const path = resolve(wanted);
    if (!existsSync(path)) {
      throw new AppError('model.not_found', 'user', `There is no model file ${path}. Correct MODEL, or put it there.`, {
        path,
      });
    }
    if (!/\.onnx$/i.test(path)) {
      const sentence = `${path} is not an .onnx file. Export the model to ONNX and name that file.`;
      throw new AppError('model.not_found', 'user', sentence, { path });
    }
    const ownLabels = path.replace(/\.onnx$/i, '.txt');
    const known = existsSync(ownLabels) ? null : await this.knownByHash(path);
    if (known !== null) return this.ready(known, path, `Model ${known.name} runs, from ${path}.`);
    const labels = await readLabels(ownLabels);
    const name = basename(path).replace(/\.onnx$/i, '');
    return { name, path, labels, note: `Your own model ${path} runs, with ${labels.length} labels.` };
  }

  private async ready({ name, labels }: DownloadableModel, path: string, note: string): Promise<ResolvedModel> {
    return { name, path, labels: await readLabels(join(this.manifestDir, labels)), note };
  }

  /** The model of the manifest that a file is, whatever its name; null when it is none of them. */
  private async knownByHash(path: string): Promise<DownloadableModel | null> {
    const { models } = await readManifest(this.manifestDir);
    const found = await identify(path);
    const isFound = ({ sha256 }: FileIdentity): boolean => sha256 === found?.sha256;
    return (
      models
        .filter((model) => model.source === 'download')
        .find((model) => [model, ...model.alternatives].some(isFound)) ?? null
    );
  }

  private async packaged(model: PackagedModel, note: string): Promise<ResolvedModel> {
    const cacheDir = resolve(repositoryRoot, this.options.cacheDir ?? join('.vigil', 'models'));
    const path = await convertedModel(model, cacheDir);
    return { name: model.name, path, labels: await readLabels(join(this.manifestDir, model.labels)), note };
  }

  /** Whether the file is there and right. */
  private async verify(model: DownloadableModel, path: string): Promise<boolean> {
    let found: FileIdentity | null;
    try {
      found = await identify(path);
    } catch (error) {
      const sentence = `${path} cannot be read: ${messageOf(error)}. Mend its permissions, or delete it.`;
      throw new AppError('model.wrong_file', 'user', sentence, { path }, { cause: error });
    }
    if (found === null) return false;
    const accepted: FileIdentity[] = [model, ...model.alternatives];
    if (accepted.some(({ sha256 }) => sha256 === found.sha256)) return true;
    const expected = accepted.map(({ size, sha256 }) => `sha256 ${sha256} (${size} bytes)`).join(' or ');
    throw new AppError(
      'model.wrong_file',
      'user',
      `${path} is not the model ${model.name}: expected ${expected}, got sha256 ${found.sha256} (${found.size} bytes). ` +
        `Delete it to have it downloaded again, or set MODEL to its path if it is your own model.`,
      { path, expected: accepted.map(({ sha256 }) => sha256), got: found.sha256 },
    );
  }

  private async fetch(model: DownloadableModel, path: string, signal: AbortSignal | undefined): Promise<void> {
    if (!this.options.allowDownload) {
      const sentence = `${path} is missing and MODEL_DOWNLOAD is off`;
      throw new AppError('model.not_found', 'user', sentence, { path });
    }
    await download({
      url: model.url,
      path,
      expected: model,
      fetch: this.options.fetch ?? ((url, init) => fetch(url, init)),
      timeoutMs: this.options.downloadTimeoutMs ?? 120_000,
      signal,
      onProgress: (bytes, total) => this.options.onProgress?.(model.name, bytes, total),
    });
  }

  private async fallBack(manifest: ModelManifest, wanted: DownloadableModel, reason: string): Promise<ResolvedModel> {
    const model = manifest.models.find(({ name }) => name === manifest.fallback);
    if (model?.source !== 'package') throw new AppError('model.not_found', 'operational', reason);
    const note = `Model ${model.name} runs, from the package ${model.package}, in place of ${wanted.name}: ${reason}`;
    try {
      return await this.packaged(model, note);
    } catch (error) {
      const sentence = `No model can run. ${wanted.name}: ${reason}. ${model.name} in its place: ${messageOf(error)}`;
      throw new AppError('model.not_found', 'operational', sentence, { model: wanted.name }, { cause: error });
    }
  }
}
