import { Inject, Injectable } from '@nestjs/common';
import { signedPath, verifyPath } from '#libs/evidence/signing.js';
import { SIGNING_SECRET } from '../auth/signing-secret.js';

/** How long a link in a detection holds, ms. */
const LINK_LIFE_MS = 3_600_000;

/** What is kept of a detection: the clean frame, or a stretch of sound. */
export type EvidencePart = 'image' | 'clip';

/** Links to evidence that an `<img>` or `<audio>` can load: they carry a signature in place of an access token. */
@Injectable()
export class EvidenceLinks {
  constructor(@Inject(SIGNING_SECRET) private readonly secret: string) {}

  /** A link that holds for an hour, for this part alone. */
  linkTo(detectionId: string, part: EvidencePart, now = Date.now()): string {
    return signedPath(pathOf(detectionId, part), this.secret, now + LINK_LIFE_MS);
  }

  /** Whether a link's query was made by {@link linkTo} for this part of this detection and still holds. */
  isValid(detectionId: string, part: EvidencePart, link: SignedQuery, now = Date.now()): boolean {
    return verifyPath(pathOf(detectionId, part), this.secret, link, now);
  }
}

/** What a link's query says. */
interface SignedQuery {
  /** Epoch ms. */
  expiresAt: number;
  signature: string;
}

function pathOf(detectionId: string, part: EvidencePart): string {
  return `/api/detections/${detectionId.toLowerCase()}/${part}`;
}
