import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { list } from '#libs/config/settings.js';
import { API_SETTINGS, type ApiSettings } from '../../runtime.module.js';
import { ACCESS_TOKEN_SECONDS } from '../access-tokens.js';
import type { Issued } from '../auth.service.js';
import { forgedRequest } from '../auth.errors.js';
import { SESSION_MS } from '../refresh-tokens.js';
import { SIGNING_SECRET } from '../signing-secret.js';

/** The cookies. `__Host-` makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis, section 4.1.3). */
const COOKIES = {
  access: '__Host-vigil-access',
  refresh: '__Host-vigil-refresh',
  /** For scripts to read and send back as {@link CSRF_HEADER}. */
  csrf: '__Host-vigil-csrf',
} as const;
/** The cookie that signs requests of browsers in. */
export const ACCESS_COOKIE = COOKIES.access;
/** Carries the CSRF token, both ways. */
export const CSRF_HEADER = 'X-CSRF-Token';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Keeps browsers signed in by cookies, when `COOKIE_AUTH` says so, and tells their own requests from forged ones. */
@Injectable()
export class Cookies {
  private readonly origins: ReadonlySet<string>;

  constructor(
    @Inject(API_SETTINGS) private readonly settings: Pick<ApiSettings, 'COOKIE_AUTH' | 'CORS_ORIGINS'>,
    @Inject(SIGNING_SECRET) private readonly secret: string,
  ) {
    this.origins = new Set(list.parse(settings.CORS_ORIGINS));
  }

  /** The token in a cookie, undefined when there is none or cookies are off. */
  token(request: Pick<Request, 'headers'>, which: 'access' | 'refresh'): string | undefined {
    if (!this.settings.COOKIE_AUTH) return undefined;
    return parseCookie(request.headers.cookie ?? '')[COOKIES[which]];
  }

  /** Gives the tokens of a sign-in to the browser, and the CSRF token to its scripts. */
  set(response: Response, { tokens, sessionId }: Issued): void {
    if (!this.settings.COOKIE_AUTH) return;
    const secure = { secure: true, sameSite: 'lax', path: '/' } as const;
    const kept = { ...secure, maxAge: SESSION_MS };
    response.cookie(COOKIES.access, tokens.accessToken, {
      ...secure,
      httpOnly: true,
      maxAge: ACCESS_TOKEN_SECONDS * 1_000,
    });
    response.cookie(COOKIES.refresh, tokens.refreshToken, { ...kept, httpOnly: true });
    response.cookie(COOKIES.csrf, this.csrfToken(sessionId), kept);
    this.tell(response, sessionId);
  }

  /** Tells scripts the CSRF token: those of another origin cannot read the cookie. */
  tell(response: Response, sessionId: string): void {
    if (this.settings.COOKIE_AUTH) response.setHeader(CSRF_HEADER, this.csrfToken(sessionId));
  }

  /** Takes all cookies away from the browser. */
  clear(response: Response): void {
    if (!this.settings.COOKIE_AUTH) return;
    for (const name of Object.values(COOKIES)) {
      response.clearCookie(name, { secure: true, sameSite: 'lax', path: '/', httpOnly: name !== COOKIES.csrf });
    }
  }

  /**
   * Lets a request that a cookie authenticates pass if the user's own page sent it: an allowed origin, and the CSRF token
   * of this sign-in in the cookie and in the header alike. A page of another site can neither read nor set them.
   * @throws AppError `auth.csrf.forbidden`.
   */
  requireOwn(request: Request, sessionId: string): void {
    if (SAFE_METHODS.has(request.method)) return;
    this.requireAllowedOrigin(request);
    const header = request.get(CSRF_HEADER) ?? '';
    const cookie = parseCookie(request.headers.cookie ?? '')[COOKIES.csrf] ?? '';
    if (header !== cookie || !equal(header, this.csrfToken(sessionId))) throw forgedRequest();
  }

  /** Refuses what a page of another site sends, in cookie mode alone. @throws AppError `auth.csrf.forbidden`. */
  requireAllowedOrigin({ headers, secure }: Pick<Request, 'headers' | 'secure'>): void {
    if (!this.settings.COOKIE_AUTH) return;
    const { origin, 'sec-fetch-site': site } = headers;
    // Neither is there outside browsers and in very old ones; the CSRF token decides alone then.
    if (origin === undefined ? site === undefined || site === 'same-origin' : this.allows(origin, headers, secure))
      return;
    throw forgedRequest();
  }

  /**
   * The access token of a socket that connects with cookies, undefined when there is none. Sockets have no CSRF token:
   * the origin decides.
   * @throws AppError `auth.csrf.forbidden`.
   */
  socketToken(handshake: Pick<Request, 'headers' | 'secure'>): string | undefined {
    const token = this.token(handshake, 'access');
    if (token !== undefined) this.requireAllowedOrigin(handshake);
    return token;
  }

  private allows(origin: string, headers: Request['headers'], secure: boolean): boolean {
    if (this.origins.has(origin)) return true;
    if (!URL.canParse(origin)) return false;
    const { host, protocol } = new URL(origin);
    // Behind a proxy that is not trusted the scheme is not known here, but https is never less than http.
    return host === headers.host && (protocol === 'https:' || !secure);
  }

  private csrfToken(sessionId: string): string {
    return createHmac('sha256', this.secret).update(`csrf:${sessionId}`).digest('base64url');
  }
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
