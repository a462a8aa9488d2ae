import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { SherpaModel } from './child-messages.js';

type Family = SherpaModel['family'];

/** A speech model that Vigil knows, as `models/speech-manifest.json` has it. */
const SpeechModel = z.object({
  /** Also the name of the folder in the models directory. */
  name: z.string().regex(/^[\w.-]+$/),
  family: SherpaModel.shape.family,
  /** An archive that holds a folder of that name. */
  url: z.url({ protocol: /^https$/ }),
  /** Size of the archive, megabytes; null where it is not known. */
  megabytes: z.number().positive().nullable(),
  /** Of the archive; null where it could not be learnt from a source to be trusted. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  licence: z.string().min(1),
  languages: z.string().min(1),
});
type SpeechModel = z.infer<typeof SpeechModel>;

const SpeechManifest = z.object({ default: z.string(), models: z.array(SpeechModel).min(1) });

/** A speech model that can be loaded. */
export interface ResolvedSpeechModel {
  name: string;
  model: SherpaModel;
}

/** What is wanted of a model. */
export interface SpeechModelWish {
  /** A name of the manifest, or the path of a folder; the manifest's default when not given. */
  wanted?: string | undefined;
  /** A relative path is meant from the root of the project. */
  modelsDir: string;
  /** Code of the language, empty to let the model find out. */
  language?: string | undefined;
  threads?: number | undefined;
}

/** Which file plays which role, best first: int8 is as good for this and a third of the size. */
const ROLES: Readonly<Record<Family, Readonly<Record<string, readonly RegExp[]>>>> = {
  whisper: { encoder: quantized('encoder'), decoder: quantized('decoder') },
  transducer: { encoder: quantized('encoder'), decoder: quantized('decoder'), joiner: quantized('joiner') },
  moonshine: {
    preprocessor: quantized('^preprocess'),
    encoder: quantized('^encode'),
    uncachedDecoder: quantized('^uncached_decode'),
    cachedDecoder: quantized('^cached_decode'),
  },
  sense_voice: { model: quantized('^model') },
  zipformer_ctc: { model: quantized('^model') },
  nemo_ctc: { model: quantized('^model') },
};

/**
 * Finds the files of a speech model.
 * @throws AppError `model.not_found` with the command that fetches it, `model.unknown_layout`, `model.manifest_invalid`
 */
export async function resolveSpeechModel(wish: SpeechModelWish): Promise<ResolvedSpeechModel> {
  const manifest = await readSpeechManifest();
  const wanted = wish.wanted ?? manifest.default;
  const modelsDir = resolve(repositoryRoot, wish.modelsDir);
  const known = manifest.models.find(({ name }) => name === wanted);
  const folder = known === undefined && /[/\\]/.test(wanted) ? resolve(wanted) : join(modelsDir, wanted);
  if (!existsSync(folder)) throw missing(known, wanted, modelsDir, manifest.models);
  const files = (await readdir(folder)).sort();
  const family = known?.family ?? familyOf(basename(folder), files);
  const roles = family === null ? null : rolesOf(family, files);
  const tokens = files.find((file) => /tokens\.txt$/.test(file));
  if (family === null || roles === null || tokens === undefined) {
    const sentence =
      `${folder} does not hold a speech model that is understood: wanted are the .onnx files of a Whisper, Moonshine, ` +
      `SenseVoice, Parakeet or Zipformer export for sherpa-onnx, and its tokens.txt.`;
    throw new AppError('model.unknown_layout', 'user', sentence, { folder });
  }
  const paths = Object.entries(roles).map(([role, file]) => [role, join(folder, file)] as const);
  const language = wish.language ?? '';
  const threads = wish.threads ?? 1;
  return {
    name: basename(folder),
    model: { family, files: Object.fromEntries(paths), tokens: join(folder, tokens), language, threads },
  };
}

async function readSpeechManifest(): Promise<z.infer<typeof SpeechManifest>> {
  const path = join(repositoryRoot, 'models', 'speech-manifest.json');
  try {
    return SpeechManifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const sentence = `Cannot use ${path}: ${messageOf(error)}`;
    throw new AppError('model.manifest_invalid', 'user', sentence, {}, { cause: error });
  }
}

function missing(known: SpeechModel | undefined, wanted: string, modelsDir: string, models: SpeechModel[]): AppError {
  if (known === undefined) {
    const sentence = `There is no speech model "${wanted}". Choose one of ${models.map(({ name }) => name).join(', ')}, or give the path of a folder.`;
    return new AppError('model.not_found', 'user', sentence, { model: wanted });
  }
  const size = known.megabytes === null ? '' : `about ${known.megabytes} MB, `;
  const sentence = `model missing: ${known.name} (${size}${known.licence}) is not in ${modelsDir}. Fetch it: ${fetchCommand(known, modelsDir)}`;
  return new AppError('model.not_found', 'operational', sentence, { model: known.name });
}

/** The archive is checked before anything is unpacked, where its hash is known. */
function fetchCommand({ name, url, sha256 }: SpeechModel, modelsDir: string): string {
  const archive = join(modelsDir, `${name}.tar.bz2`);
  const check = sha256 === null ? '' : ` && echo "${sha256}  ${archive}" | sha256sum -c`;
  return `curl -fL -o "${archive}" ${url}${check} && tar -xjf "${archive}" -C "${modelsDir}"`;
}

function quantized(role: string): RegExp[] {
  return [new RegExp(`${role}.*\\.int8\\.onnx$`), new RegExp(`${role}.*\\.onnx$`)];
}

function rolesOf(family: Family, files: readonly string[]): Record<string, string> | null {
  const roles: Record<string, string> = {};
  for (const [role, patterns] of Object.entries(ROLES[family])) {
    const file = patterns.map((pattern) => files.find((name) => pattern.test(name))).find((name) => name !== undefined);
    if (file === undefined) return null;
    roles[role] = file;
  }
  return roles;
}

/** Tells the family of a folder that no manifest knows: by its files, and where those are alike by its name. */
function familyOf(folder: string, files: readonly string[]): Family | null {
  const several = (['moonshine', 'transducer', 'whisper'] as const).find((family) => rolesOf(family, files) !== null);
  if (several !== undefined) return several;
  if (rolesOf('sense_voice', files) === null) return null;
  if (/sense-?voice/i.test(folder)) return 'sense_voice';
  if (/zipformer/i.test(folder)) return 'zipformer_ctc';
  return /nemo|parakeet/i.test(folder) ? 'nemo_ctc' : null;
}
