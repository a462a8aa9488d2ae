import { Injectable } from '@nestjs/common';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { Authenticator } from '../auth/authenticator.js';
import { passwordChangeDue, unauthorized } from '../auth/auth.errors.js';
import type { LinkQuery } from './detections.dto.js';
import { badEvidenceLink } from './detections.errors.js';
import { EvidenceLinks, type EvidencePart } from './evidence-links.js';

/** Who may load a piece of evidence: the bearer of a signed link, or a signed-in user. */
@Injectable()
export class EvidenceAccess {
  constructor(
    private readonly links: EvidenceLinks,
    private readonly authenticator: Authenticator,
  ) {}

  /**
   * @returns the signed-in user, or null when a signed link for exactly this piece establishes the right.
   * @throws AppError `detection.image.unauthorized`, `detection.clip.unauthorized`, `auth.unauthorized`
   */
  async admit(
    id: string,
    part: EvidencePart,
    { expires, signature }: LinkQuery,
    authorization: string | undefined,
  ): Promise<AuthenticatedUser | null> {
    if (expires !== undefined && signature !== undefined) {
      if (!this.links.isValid(id, part, { expiresAt: expires, signature })) throw badEvidenceLink(part);
      return null;
    }
    const token = /^Bearer (\S{1,8192})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthorized();
    const identity = await this.authenticator.authenticate(token);
    if (identity.mustChangePassword) throw passwordChangeDue();
    return identity.user;
  }
}
