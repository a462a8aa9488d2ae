import type { Readable } from 'node:stream';
import { z } from 'zod';

/**
 * Name of a piece of evidence: one to eight parts of letters, digits, `-`, `_` and inner dots, separated by `/`,
 * such as `detections/4be0643f/….jpg`. It can name nothing outside the store.
 */
export const EvidenceKey = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*){0,7}$/, 'is no evidence key');

/** Something read from the store. */
export interface EvidenceContent {
  /** Length in bytes. */
  size: number;
  stream: Readable;
}

/** Keeps bytes by name: evidence is never in Redis or SQL. */
export interface EvidenceStore {
  /**
   * Keeps bytes under a key; readers see all of them or nothing. The same key again replaces what was there.
   * @throws AppError `evidence.full` when there is no room, `evidence.unavailable` for any other fault,
   * `evidence.bad_key`.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Opens for reading, null when there is nothing under the key. @throws AppError as {@link put} */
  open(key: string): Promise<EvidenceContent | null>;
  /** Everything under a key, null when there is nothing. @throws AppError as {@link put} */
  read(key: string): Promise<Buffer | null>;
  /** Takes it away. @returns its length in bytes, 0 when there was nothing. @throws AppError as {@link put} */
  delete(key: string): Promise<number>;
  /** Length in bytes of everything whose key counts; looks at all of it, so not often. @throws AppError as {@link put} */
  bytes(counts: (key: string) => boolean): Promise<number>;
}
