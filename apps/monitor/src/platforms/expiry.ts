import { z } from 'zod';

const SECONDS = z.coerce.number().int().min(1_000_000_000).max(99_999_999_999);
const Claims = z.object({ exp: SECONDS });

/** Names that sites give to the instant after which an address is void, in seconds since the epoch. */
const NAMES = ['expire', 'expires', 'exp', 'Expires', 'hdnts_exp'];

/**
 * When an address becomes void, epoch ms, as it says of itself: in its query, in its path (`/expire/1712345678/`, as
 * YouTube writes it), or in the `exp` claim of a `token` (RFC 7519, 4.1.4), which is read and not verified. Null when
 * it does not say.
 */
export function expiryOf(address: string): number | null {
  if (!URL.canParse(address)) return null;
  const { searchParams, pathname } = new URL(address);
  const named = NAMES.map((name) => searchParams.get(name)).find((value) => value !== null);
  const seconds = SECONDS.safeParse(named ?? /\/expire\/(\d{10,11})(?=\/)/.exec(pathname)?.[1]);
  if (seconds.success) return seconds.data * 1_000;
  return claimOf(searchParams.get('token') ?? '');
}

function claimOf(token: string): number | null {
  const body = token.length > 8_192 ? undefined : token.split('.', 3)[1];
  if (body === undefined) return null;
  try {
    const claims = Claims.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
    return claims.success ? claims.data.exp * 1_000 : null;
  } catch {
    return null;
  }
}
