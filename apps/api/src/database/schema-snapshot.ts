import { z } from 'zod';

/** Asks the database; both a data source and one of its runners can. */
export interface Asking {
  query(statement: string): Promise<unknown>;
}

/** Table in which TypeORM notes which migrations ran; not part of what they make. */
const NOTES = 'migrations';

/** One line for everything that migrations make, whatever the order in which it was made. */
const SNAPSHOT = `
  SELECT line FROM (
    SELECT format('column %s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
      coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity::text) AS line, c.relname AS owner
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT format('constraint %s.%s %s', r.relname, k.conname, pg_get_constraintdef(k.oid)), r.relname
    FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid
    WHERE k.connamespace = 'public'::regnamespace AND k.contype <> 'n'
    UNION ALL
    SELECT format('index %s', indexdef), tablename FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT format('trigger %s', pg_get_triggerdef(t.oid)), r.relname
    FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
    WHERE r.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT format('function %s of text %s', p.oid::regprocedure, md5(p.prosrc)), ''
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
  ) AS lines WHERE owner <> '${NOTES}' ORDER BY line`;

const Lines = z.array(z.object({ line: z.string() }));

/** Everything that migrations make in the schema, one line each, sorted. */
export async function schemaOf(database: Asking): Promise<string[]> {
  return Lines.parse(await database.query(SNAPSHOT)).map(({ line }) => line);
}

/** What is on one side only. */
export function differencesOf(
  before: readonly string[],
  after: readonly string[],
): { missing: string[]; added: string[] } {
  const [old, now] = [new Set(before), new Set(after)];
  return { missing: before.filter((line) => !now.has(line)), added: after.filter((line) => !old.has(line)) };
}
