import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Trouble } from './canary-health.js';

/** What is read of canaries and channels for people and for Prometheus. */
@Injectable()
export class CanaryReadings {
  constructor(private readonly dataSource: DataSource) {}

  /** What admins were told of and lasts. */
  troubles(): Promise<{ kind: 'monitor' | 'channel'; subject: string; part: Trouble; reason: string; since: Date }[]> {
    return this.dataSource.query(
      `SELECT kind, subject, part, reason, started_at AS since FROM canary_episodes WHERE ended_at IS NULL
       ORDER BY started_at, id LIMIT 1000`,
    );
  }

  /** The latest probe of each channel. */
  probes(): Promise<{ channel: string; outcome: 'answered' | 'failed'; reason: string; tookMs: number; at: Date }[]> {
    return this.dataSource.query(
      `SELECT DISTINCT ON (channel) channel, outcome, reason, took_ms AS "tookMs", at FROM canary_probes
       ORDER BY channel, at DESC`,
    );
  }

  /** From on air to the commit, in the latest run of each monitor that found the part. */
  latencies(): Promise<{ monitor: string; part: string; seconds: number }[]> {
    return this.dataSource.query(
      `SELECT m.monitor_id AS monitor, r.part,
              greatest(0, extract(epoch FROM r.committed_at - r.aired_at))::float8 AS seconds
       FROM canary_monitors m CROSS JOIN LATERAL (
         SELECT DISTINCT ON (part) part, committed_at, aired_at
         FROM (SELECT * FROM canary_runs c WHERE c.monitor_id = m.monitor_id ORDER BY started_at DESC LIMIT 12) AS l
         WHERE committed_at IS NOT NULL AND aired_at IS NOT NULL ORDER BY part, started_at DESC) AS r`,
    );
  }

  /** Since each monitor had a complete run without a miss; since it is expected, when it has had none. */
  ages(): Promise<{ monitor: string; seconds: number }[]> {
    return this.dataSource.query(
      `SELECT m.monitor_id AS monitor,
              extract(epoch FROM now() - greatest(r.at, m.expected_since))::float8 AS seconds
       FROM canary_monitors m LEFT JOIN LATERAL (
         SELECT max(stored_at) AS at
         FROM (SELECT * FROM canary_runs c WHERE c.monitor_id = m.monitor_id ORDER BY started_at DESC LIMIT 400) AS l
         GROUP BY run_id, started_at HAVING count(*) = 4 AND bool_and(outcome <> 'missed')
         ORDER BY started_at DESC LIMIT 1) AS r ON true`,
    );
  }
}
