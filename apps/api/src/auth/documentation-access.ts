import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { AuthService } from './auth.service.js';

/** A browser that showed an admin's password is believed for so long, in ms: a page is made of several files. */
const BELIEVED_MS = 60_000;
const MOST_BELIEVED = 100;

/** Keeps the documentation to admins in production. A browser asks for name and password by itself (RFC 7617). */
@Injectable()
export class DocumentationAccess {
  private readonly believed = new Map<string, number>();

  constructor(private readonly auth: AuthService) {}

  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    const header = request.headers.authorization ?? '';
    this.admits(header, request.ip ?? 'unknown')
      .catch(() => false)
      .then((admitted) => {
        if (admitted) next();
        else {
          response.setHeader('WWW-Authenticate', 'Basic realm="Vigil documentation", charset="UTF-8"');
          response.status(401).type('text/plain').send('The documentation is for admins: user name and password.\n');
        }
      })
      .catch(next);
  };

  private async admits(header: string, address: string): Promise<boolean> {
    const encoded = /^Basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(header)?.[1];
    if (encoded === undefined) return false;
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
