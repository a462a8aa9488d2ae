import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the query of a signed path carries. */
export interface PathSignature {
  /** Epoch ms after which it is void. */
  expiresAt: number;
  /** HMAC-SHA256 of expiry and path, base64url. */
  signature: string;
}

/** Signs a path (without query) until `expiresAt`, epoch ms: HMAC-SHA256 (RFC 2104). */
export function signPath(path: string, secret: string, expiresAt: number): PathSignature {
  return { expiresAt, signature: digest(path, secret, expiresAt).toString('base64url') };
}

/** The path with its signature as query: `?expires=…&signature=…`. */
export function signedPath(path: string, secret: string, expiresAt: number): string {
  const { signature } = signPath(path, secret, expiresAt);
  return `${path}?expires=${String(expiresAt)}&signature=${signature}`;
}

/** Whether a signature is this path's own and not expired; takes the same time wherever it differs. */
export function verifyPath(path: string, secret: string, given: PathSignature, now: number): boolean {
  const expected = digest(path, secret, given.expiresAt);
  const actual = Buffer.from(given.signature, 'base64url');
  return actual.length === expected.length && timingSafeEqual(actual, expected) && given.expiresAt > now;
}

function digest(path: string, secret: string, expiresAt: number): Buffer {
  return createHmac('sha256', secret)
    .update(`vigil-path|${String(expiresAt)}|${path}`)
    .digest();
}
