import { Inject, Injectable } from '@nestjs/common';
import { signedPath, verifyPath } from '#libs/evidence/signing.js';
import { SIGNING_SECRET } from '../auth/signing-secret.js';

/** How long a link in a detection holds, ms. */
const LINK_LIFE_MS = 3_600_000;

/** Links to evidence images that an `<img>` can load: they carry a signature in place of an access token. */
@Injectable()
export class ImageLinks {
  constructor(@Inject(SIGNING_SECRET) private readonly secret: string) {}

  /** A link that holds for an hour. */
  linkTo(detectionId: string, now = Date.now()): string {
    return signedPath(pathOf(detectionId), this.secret, now + LINK_LIFE_MS);
  }

  /** Whether a link's query was made by {@link linkTo} for this detection and still holds. */
  isValid(detectionId: string, expiresAt: number, signature: string, now = Date.now()): boolean {
    return verifyPath(pathOf(detectionId), this.secret, { expiresAt, signature }, now);
  }
}

function pathOf(detectionId: string): string {
  return `/api/detections/${detectionId.toLowerCase()}/image`;
}
