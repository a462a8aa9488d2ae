import { redactUrls } from '#libs/observability/logger.js';

/** Names of fields whose values never reach the trail. */
const SECRET = /pass(word|phrase)|secret|token|hash|authorization|cookie|credential|options|key$/i;
/** How deep and how long a value may be; what is beyond is left out. */
const [DEEPEST, LONGEST, MOST] = [6, 2_000, 200];

/** A copy that may be kept for ever: without secrets, of bounded size, with only what JSON can hold. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactUrls(value.slice(0, LONGEST));
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' || typeof value === 'boolean' ? value : null;
  }
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => redacted(item, depth + 1));
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.slice(0, MOST).map(([name, field]) => [name, SECRET.test(name) ? '[redacted]' : redacted(field, depth + 1)]),
  );
}

/** The fields that differ, as they were and as they are; null on a side that does not exist. */
export function difference(
  before: object | null,
  after: object | null,
): { before: Record<string, unknown> | null; after: Record<string, unknown> | null } {
  const [old, now] = [before, after].map((side) =>
    side === null ? null : (redacted(side) as Record<string, unknown>),
  );
  if (old === null || now === null || old === undefined || now === undefined) {
    return { before: old ?? null, after: now ?? null };
  }
  const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  );
  const pick = (side: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(changed.map((name) => [name, side[name] ?? null]));
  return { before: pick(old), after: pick(now) };
}
