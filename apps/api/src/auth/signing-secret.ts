/**
 * Injection token of a secret string for signing what is not an access token (evidence links); derived from the JWT
 * secret, equal on every api process.
 */
export const SIGNING_SECRET = Symbol('SIGNING_SECRET');
