import { fileURLToPath } from 'node:url';
import { AppError } from '#libs/errors/app-error.js';
import type { EvidenceStore } from './evidence-store.js';
import { FileEvidenceStore } from './file-store.js';

/**
 * The store that `EVIDENCE_URL` names.
 * @throws AppError `evidence.unsupported` for anything but `file:///directory`.
 */
export function createEvidenceStore(url: string): EvidenceStore {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === 'file:' && parsed.host === '' && parsed.pathname.length > 1) {
    return new FileEvidenceStore(fileURLToPath(parsed));
  }
  throw new AppError(
    'evidence.unsupported',
    'user',
    parsed?.protocol === 's3:'
      ? 'EVIDENCE_URL names an S3 bucket, which is not supported yet: use file:///directory.'
      : 'EVIDENCE_URL must be file:///directory with an absolute path.',
  );
}
