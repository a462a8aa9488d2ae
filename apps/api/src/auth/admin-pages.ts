import { createHash } from 'node:crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { AppEvents } from '../events/app-events.js';
import { AuthService } from './auth.service.js';
import { Authenticator } from './authenticator.js';
import { Cookies } from './browser/cookies.js';

/** A browser that showed an admin's password is believed for so long, in ms: a page is made of several files. */
const BELIEVED_MS = 60_000;
const MOST_BELIEVED = 100;

/**
 * Keeps pages to admins that browsers open by themselves: by the cookie or the bearer token of a sign-in, or by name and
 * password, which a browser asks for (RFC 7617).
 */
@Injectable()
export class AdminPages implements OnModuleDestroy {
  private readonly believed = new Map<string, number>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly auth: AuthService,
    private readonly authenticator: Authenticator,
    private readonly cookies: Cookies,
    events: AppEvents,
  ) {
    // Whose right has changed cannot be told from what is kept: everybody is asked for anew.
    this.unsubscribe = events.on('user.revoked', () => this.believed.clear());
  }

  onModuleDestroy(): void {
    this.unsubscribe();
  }

  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    this.admits(request)
      .catch(() => false)
      .then((admitted) => {
        if (admitted) next();
        else {
          response.setHeader('WWW-Authenticate', 'Basic realm="Vigil for admins", charset="UTF-8"');
          response.status(401).type('text/plain').send('This page is for admins: user name and password.\n');
        }
      })
      .catch(next);
  };

  private async admits(request: Request): Promise<boolean> {
    const [scheme = '', credentials = '', rest] = (request.headers.authorization ?? '').split(' ');
    if (rest !== undefined) return false;
    if (scheme.toLowerCase() === 'basic') return this.knows(credentials, request.ip ?? 'unknown');
    const bearer = scheme.toLowerCase() === 'bearer' ? credentials : undefined;
    const token = bearer ?? (scheme === '' ? this.cookies.token(request, 'access') : undefined);
    if (token === undefined) return false;
    const { user, mustChangePassword } = await this.authenticator.authenticate(token);
    return user.role === 'admin' && !mustChangePassword;
  }

  private async knows(encoded: string, address: string): Promise<boolean> {
    if (!/^[A-Za-z0-9+/=]{1,1000}$/.test(encoded)) return false;
    const key = createHash('sha256').update(encoded).digest('hex');
    if ((this.believed.get(key) ?? 0) > Date.now()) return true;
    const [username = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (!(await this.auth.isAdmin({ username, password: rest.join(':') }, address))) return false;
    this.believed.set(key, Date.now() + BELIEVED_MS);
    const [oldest] = this.believed.keys();
    if (this.believed.size > MOST_BELIEVED && oldest !== undefined) this.believed.delete(oldest);
    return true;
  }
}
