import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { convertCenterNet, converterVersion, loadOnnxProto } from './centernet-converter.js';
import { identify, writeAtomically } from './model-file.js';
import type { PackagedModel } from './model-manifest.js';
import { readTfjsGraph } from './tfjs-graph.js';

/**
 * Path of the ONNX model made of the weights that an npm package carries. It is made once per version of the package
 * and kept in `cacheDirectory`, with its hash beside it; a damaged copy is made anew.
 * @throws AppError `model.package_missing`, `model.unreadable`, `model.cache_failed`
 */
export async function convertedModel(model: PackagedModel, cacheDirectory: string): Promise<string> {
  const directory = packageDirectory(model.package);
  const graphPath = join(directory, model.graph);
  const path = join(cacheDirectory, `${model.name}-${await versionOf(graphPath)}.onnx`);
  const recorded = await readFile(`${path}.sha256`, 'utf8').catch(() => null);
  if (recorded !== null && (await identify(path).catch(() => null))?.sha256 === recorded.trim()) return path;
  const proto = await loadOnnxProto();
  const bytes = convertCenterNet(await readTfjsGraph(graphPath), proto);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  try {
    await writeAtomically(path, [bytes]);
    await writeAtomically(`${path}.sha256`, [Buffer.from(`${sha256}\n`)]);
  } catch (error) {
    const sentence = `The converted model cannot be kept in ${cacheDirectory}: ${messageOf(error)}. Make it writable.`;
    throw new AppError('model.cache_failed', 'operational', sentence, { path }, { cause: error });
  }
  return path;
}

/** Where a package lies. Its `exports` need not name its files, so the directories are searched. */
function packageDirectory(name: string): string {
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = roots.map((root) => join(root, name)).find((directory) => existsSync(join(directory, 'package.json')));
  if (found !== undefined) return found;
  throw new AppError(
    'model.package_missing',
    'operational',
    `The optional package ${name}, which carries the built-in model, is not installed: run \`npm install\`.`,
    { package: name },
  );
}

/** Changes with the graph and with the converter. */
async function versionOf(graphPath: string): Promise<string> {
  const identity = await identify(graphPath);
  if (identity !== null) return `${identity.sha256.slice(0, 12)}-v${converterVersion}`;
  const sentence = `The packaged weights are missing: ${graphPath}. Run \`npm install\`.`;
  throw new AppError('model.package_missing', 'operational', sentence, { path: graphPath });
}
