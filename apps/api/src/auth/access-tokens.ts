import { createSecretKey, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { z } from 'zod';
import { unauthorized } from './auth.errors.js';
import { JWT_SECRET } from './jwt-secret.js';

/** How long an access token lives, in seconds. */
export const ACCESS_TOKEN_SECONDS = 15 * 60;

const ISSUER = 'vigil';
const AUDIENCE = 'vigil-api';
/** Ours have about 400 characters; a longer text is not worth a look. */
const MOST_CHARACTERS = 4_096;

const Claims = z.object({
  typ: z.literal('access'),
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.uuid(),
  exp: z.number().int(),
  nbf: z.number().int(),
});

/** What a valid access token says: which user, which sign-in, until when. */
interface AccessClaims {
  userId: string;
  sessionId: string;
  expiresAt: Date;
}

/** Issues and checks access tokens: JWT (RFC 7519), HS256 and nothing else. */
@Injectable()
export class AccessTokens {
  private readonly jwt: JwtService;

  constructor(@Inject(JWT_SECRET) secret: string) {
    // As a key: a text would be tried for a public key first, each time, and that costs more than all the rest.
    this.jwt = new JwtService({ secret: createSecretKey(secret, 'utf8') });
  }

  issue(userId: string, sessionId: string, lifeSeconds = ACCESS_TOKEN_SECONDS): Promise<string> {
    return this.jwt.signAsync(
      { typ: 'access', sid: sessionId },
      {
        algorithm: 'HS256',
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: userId,
        jwtid: randomUUID(),
        notBefore: 0,
        expiresIn: lifeSeconds,
      },
    );
  }

  /**
   * Checks signature, algorithm, issuer, audience, times and shape.
   * @throws AppError `auth.unauthorized` whatever is wrong.
   */
  async verify(token: string): Promise<AccessClaims> {
    if (token.length > MOST_CHARACTERS) throw unauthorized();
    try {
      const claims = Claims.parse(
        await this.jwt.verifyAsync(token, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE }),
      );
      return { userId: claims.sub, sessionId: claims.sid, expiresAt: new Date(claims.exp * 1_000) };
    } catch {
      throw unauthorized();
    }
  }
}
