import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, opendir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { EvidenceKey, type EvidenceContent, type EvidenceStore } from './evidence-store.js';

/** Evidence as files below one directory, spread over two levels of 256 directories by a hash of the key. */
export class FileEvidenceStore implements EvidenceStore {
  constructor(private readonly directory: string) {}

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(key);
    // A name no reader looks for; the rename makes the whole content visible at once.
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(temporary, 'wx', 0o640);
      try {
        await file.writeFile(bytes);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw fault(error, this.directory);
    }
  }

  async open(key: string): Promise<EvidenceContent | null> {
    return this.orNull(async () => {
      const file = await open(this.pathOf(key), 'r');
      try {
        const { size } = await file.stat();
        return { size, stream: file.createReadStream() };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  async read(key: string): Promise<Buffer | null> {
    return this.orNull(() => readFile(this.pathOf(key)));
  }

  async delete(key: string): Promise<number> {
    const path = this.pathOf(key);
    const size = await this.orNull(async () => {
      const { size: length } = await stat(path);
      await unlink(path);
      return length;
    });
    return size ?? 0;
  }

  async bytes(counts: (key: string) => boolean): Promise<number> {
    let bytes = 0;
    const walk = async (directory: string): Promise<void> => {
      for await (const entry of await opendir(directory)) {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) await this.orNull(() => walk(path));
        // A file may go while it is looked at.
        else if (counts(entry.name.replaceAll('+', '/'))) bytes += (await this.orNull(() => stat(path)))?.size ?? 0;
      }
    };
    await this.orNull(() => walk(this.directory));
    return bytes;
  }

  private async orNull<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw fault(error, this.directory);
    }
  }

  private pathOf(key: string): string {
    if (!EvidenceKey.safeParse(key).success) {
      throw new AppError('evidence.bad_key', 'unexpected', 'An evidence key holds characters it may not hold.');
    }
    const hash = createHash('sha1').update(key).digest('hex');
    // One flat file name per key: parts of a key never become directories.
    return join(this.directory, hash.slice(0, 2), hash.slice(2, 4), key.replaceAll('/', '+'));
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** Says which kind of fault it is; one of ours passes. */
function fault(error: unknown, directory: string): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new AppError(
    full ? 'evidence.full' : 'evidence.unavailable',
    'operational',
    full
      ? `There is no room left for evidence below ${directory}: free some or move EVIDENCE_URL.`
      : `The evidence store ${directory} cannot be used: ${messageOf(error)}`,
    {},
    { cause: error },
  );
}
