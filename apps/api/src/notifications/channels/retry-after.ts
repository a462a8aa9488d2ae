/** No receiver may ask for a longer pause, ms. */
const LONGEST_MS = 86_400_000;

/** The pause that a `Retry-After` header asks for (RFC 9110, 10.2.3), ms; null when there is none. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(asked) ? null : Math.min(LONGEST_MS, Math.max(0, asked));
}
