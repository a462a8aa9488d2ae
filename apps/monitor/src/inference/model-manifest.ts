import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const FileName = z.string().regex(/^[\w.-]+$/, 'a bare file name');

const described = {
  name: z.string().regex(/^[\w.-]+$/),
  licence: z.string().min(1),
  family: z.enum(['yolox', 'ultralytics', 'centernet']),
  input: z.object({ width: z.number().int().positive(), height: z.number().int().positive() }),
  /** File in `models/` with one label a line. */
  labels: FileName,
};

/** Weights that are downloaded, or put into the models directory by hand. */
export const DownloadableModel = z.object({
  ...described,
  source: z.literal('download'),
  /** Name of the file in the models directory. */
  file: FileName,
  url: z.url({ protocol: /^https?$/ }),
  size: z.number().int().positive(),
  sha256: Sha256,
  /** Other files that are accepted when they lie in the models directory. */
  alternatives: z.array(z.object({ size: z.number().int().positive(), sha256: Sha256, about: z.string() })).default([]),
});
export type DownloadableModel = z.infer<typeof DownloadableModel>;

/** Weights that an npm package carries as a TensorFlow.js graph; converted once. */
export const PackagedModel = z.object({
  ...described,
  source: z.literal('package'),
  package: z.string().regex(/^(@[\w.-]+\/)?[\w.-]+$/),
  /** Path of the graph's `.json` inside the package. */
  graph: z.string().min(1),
});
export type PackagedModel = z.infer<typeof PackagedModel>;

/** `models/manifest.json`. */
export const ModelManifest = z
  .object({
    models: z.array(z.discriminatedUnion('source', [DownloadableModel, PackagedModel])).min(1),
    /** Name of the packaged model that runs when the wanted one cannot be had. */
    fallback: z.string(),
  })
  .refine(
    ({ models, fallback }) => models.some((model) => model.name === fallback && model.source === 'package'),
    'fallback must name a packaged model',
  )
  .refine(({ models }) => new Set(models.map((model) => model.name)).size === models.length, 'names must be unique');
export type ModelManifest = z.infer<typeof ModelManifest>;

/** Directory of the manifest and the label files. */
export const manifestDirectory = join(repositoryRoot, 'models');

/**
 * Reads the manifest.
 * @throws AppError `model.manifest_invalid`
 */
export async function readManifest(directory: string = manifestDirectory): Promise<ModelManifest> {
  const path = join(directory, 'manifest.json');
  try {
    return ModelManifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new AppError(
      'model.manifest_invalid',
      'user',
      `Cannot use ${path}: ${messageOf(error)}`,
      {},
      { cause: error },
    );
  }
}

/**
 * Reads labels, one a line; blank lines at the end are ignored.
 * @throws AppError `model.labels_missing`
 */
export async function readLabels(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError(
      'model.labels_missing',
      'user',
      `The labels of the model are missing: write one label a line, in the order of training, into ${path}.`,
      { path },
      { cause: error },
    );
  }
  const labels = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim());
  while (labels.at(-1) === '') labels.pop();
  const faulty = labels.findIndex((label) => label === '' || label.length > 100);
  if (labels.length === 0 || faulty >= 0) {
    const fault =
      labels.length === 0 ? 'is empty' : `has a line that is empty or over 100 characters: line ${faulty + 1}`;
    throw new AppError('model.labels_missing', 'user', `${path} ${fault}; it needs one label a line.`, { path });
  }
  return labels;
}
