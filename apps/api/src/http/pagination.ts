import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';

/** Query parameters of every list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many items to return.'),
  cursor: z.string().max(500).optional().describe('`nextCursor` of the page before; the first page when left out.'),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** The schema of one page; `id` names it in the OpenAPI document. */
export function pageOf<Item extends z.ZodType>(
  item: Item,
  id: string,
): z.ZodObject<{ items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z
    .object({
      items: z.array(item),
      nextCursor: z.string().nullable().describe('Cursor of the next page, null on the last one.'),
    })
    .meta({ id });
}

/** Packs the position after an item, opaque to clients. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position), 'utf8').toString('base64url');
}

/**
 * Unpacks a cursor.
 * @returns null when there is none.
 * @throws AppError `request.invalid_cursor` when it was not made by {@link encodeCursor} for this list.
 */
export function decodeCursor<Schema extends z.ZodType>(
  cursor: string | undefined,
  schema: Schema,
): z.output<Schema> | null {
  if (cursor === undefined) return null;
  const parsed = schema.safeParse(parse(cursor));
  if (parsed.success) return parsed.data;
  throw new AppError('request.invalid_cursor', 'user', 'This cursor is not valid here: start from the first page.');
}

/** Cuts `limit + 1` rows to one page; `position` of the last row kept becomes the cursor. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => readonly (string | number)[],
  view: (row: Row) => Item,
): Page<Item> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    items: kept.map(view),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
