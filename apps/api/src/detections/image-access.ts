import { Injectable } from '@nestjs/common';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { Authenticator } from '../auth/authenticator.js';
import { passwordChangeDue, unauthorized } from '../auth/auth.errors.js';
import type { ImageQuery } from './detections.dto.js';
import { badImageLink } from './detections.errors.js';
import { ImageLinks } from './image-links.js';

/** Who may load an image: the bearer of a signed link, or a signed-in user. */
@Injectable()
export class ImageAccess {
  constructor(
    private readonly links: ImageLinks,
    private readonly authenticator: Authenticator,
  ) {}

  /**
   * @returns the signed-in user, or null when a signed link for exactly this image establishes the right.
   * @throws AppError `detection.image.unauthorized`, `auth.unauthorized`
   */
  async admit(id: string, query: ImageQuery, authorization: string | undefined): Promise<AuthenticatedUser | null> {
    const { expires, signature } = query;
    if (expires !== undefined && signature !== undefined) {
      if (!this.links.isValid(id, expires, signature)) throw badImageLink();
      return null;
    }
    const token = /^Bearer (\S{1,8192})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthorized();
    const identity = await this.authenticator.authenticate(token);
    if (identity.mustChangePassword) throw passwordChangeDue();
    return identity.user;
  }
}
