import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';

const Counts = z.array(z.object({ name: z.string(), count: z.coerce.number() }));
const Deliveries = z.array(
  z.object({ channel: z.string(), open: z.coerce.number(), dead: z.coerce.number(), overdue: z.coerce.number() }),
);

/** What only the database knows. */
@Injectable()
export class MetricsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Streams by status. */
  async streams(): Promise<Record<string, number>> {
    const rows = await this.dataSource.query<unknown>('SELECT status AS name, count(*) FROM streams GROUP BY status');
    return Object.fromEntries(Counts.parse(rows).map(({ name, count }) => [name, count]));
  }

  /** Deliveries by channel: open ones, dead letters, and for how long the oldest that is due has been, seconds. */
  async deliveries(): Promise<z.infer<typeof Deliveries>> {
    // Both states have an index of their own; what was sent is not looked at.
    const rows = await this.dataSource.query<unknown>(`
      SELECT channel, count(*) FILTER (WHERE state <> 'dead') AS open, count(*) FILTER (WHERE state = 'dead') AS dead,
        coalesce(max(extract(epoch FROM now() - due_at)) FILTER (WHERE state <> 'dead' AND due_at < now()), 0) AS overdue
      FROM (
        SELECT channel, state, due_at FROM deliveries WHERE state IN ('pending', 'sending')
        UNION ALL SELECT channel, state, due_at FROM deliveries WHERE state = 'dead') d
      GROUP BY channel`);
    return Deliveries.parse(rows);
  }
}
