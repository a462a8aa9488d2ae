import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/transaction.js';
import type { ChannelState, Episode, HealthChange, MonitorState, Trouble } from './canary-health.js';
import { latestRun, type RunRow } from './canary-runs.repository.js';

interface MonitorRow {
  monitor_id: string;
  every_ms: number;
  is_there: boolean;
  expected_since: Date;
  parts: RunRow['parts'] | null;
  stored_at: Date | null;
}

interface ProbeRow {
  channel: string;
  outcome: 'answered' | 'failed';
  reason: string;
  at: Date;
  failing_since: Date | null;
}

interface EpisodeRow {
  id: string;
  kind: 'monitor' | 'channel';
  subject: string;
  part: Trouble;
  started_at: Date;
}

/** The latest probe of a channel. */
export interface LatestProbe {
  at: number;
  outcome: 'answered' | 'failed';
}

/** Who is expected to have a canary, and what admins were told of. */
@Injectable()
export class CanaryWatchRepository {
  /** Notes which monitors are there now. Who was away in order, or had no canary, is expected from now on. */
  async seen(tx: Transaction, monitors: readonly { monitorId: string; everyMs: number }[], now: number): Promise<void> {
    await tx.query(
      `INSERT INTO canary_monitors AS m (monitor_id, every_ms, expected_since, seen_at)
       SELECT s.id, s.ms, $3, $3 FROM unnest($1::text[], $2::integer[]) AS s (id, ms)
       ON CONFLICT (monitor_id) DO UPDATE SET every_ms = excluded.every_ms, seen_at = $3, left_at = NULL,
         expected_since = CASE WHEN m.left_at IS NOT NULL OR m.every_ms <> excluded.every_ms THEN $3
                               ELSE m.expected_since END`,
      [monitors.map(({ monitorId }) => monitorId), monitors.map(({ everyMs }) => everyMs), new Date(now)],
    );
  }

  /**
   * Forgets monitors that stopped in order, that have no canary, or that nobody has seen for so long.
   * @returns those of whom people had been told something
   */
  async forget(tx: Transaction, now: number, afterMs: number): Promise<string[]> {
    const [rows] = await tx.query<[{ subject: string }[], number]>(
      `WITH gone AS (
         DELETE FROM canary_monitors
         WHERE every_ms = 0 OR seen_at < $2 OR (left_at IS NOT NULL AND seen_at < $1) RETURNING monitor_id)
       UPDATE canary_episodes e SET ended_at = $1 FROM gone
       WHERE e.kind = 'monitor' AND e.subject = gone.monitor_id AND e.ended_at IS NULL RETURNING e.subject`,
      [new Date(now), new Date(now - afterMs)],
    );
    return [...new Set(rows.map(({ subject }) => subject))];
  }

  /** All that are expected to have a canary. */
  async monitors(tx: Transaction, now: number): Promise<MonitorState[]> {
    const rows = await tx.query<MonitorRow[]>(
      `SELECT m.monitor_id, m.every_ms, m.seen_at >= $1 AS is_there, m.expected_since, r.parts,
              r."storedAt" AS stored_at
       FROM canary_monitors m LEFT JOIN LATERAL (${latestRun('m.monitor_id')}) AS r ON true ORDER BY m.monitor_id`,
      [new Date(now)],
    );
    const episodes = await this.episodes(tx, 'monitor');
    return rows.map(({ monitor_id: monitorId, every_ms: everyMs, is_there: isThere, parts, ...row }) => ({
      ...{ monitorId, everyMs, isThere, expectedSince: row.expected_since.getTime() },
      run: row.stored_at === null || parts === null ? null : { storedAt: row.stored_at.getTime(), parts },
      episodes: episodes.get(monitorId) ?? [],
    }));
  }

  /** These channels. */
  async channels(
    tx: Transaction,
    channels: readonly string[],
  ): Promise<(ChannelState & { latest: LatestProbe | null })[]> {
    const rows = await tx.query<ProbeRow[]>(
      `SELECT p.*, (SELECT min(f.at) FROM canary_probes f WHERE f.channel = p.channel AND f.at > coalesce(
                 (SELECT max(a.at) FROM canary_probes a WHERE a.channel = p.channel AND a.outcome = 'answered'),
                 '-infinity')) AS failing_since
       FROM unnest($1::text[]) AS c (id) CROSS JOIN LATERAL (
         SELECT channel, outcome, reason, at FROM canary_probes WHERE channel = c.id ORDER BY at DESC LIMIT 1) AS p`,
      [channels],
    );
    const episodes = await this.episodes(tx, 'channel');
    return channels.map((channel) => {
      const row = rows.find((one) => one.channel === channel);
      const failing =
        row?.outcome === 'failed' ? { since: (row.failing_since ?? row.at).getTime(), reason: row.reason } : null;
      return {
        ...{ channel, failing, episodes: episodes.get(channel) ?? [] },
        latest: row === undefined ? null : { at: row.at.getTime(), outcome: row.outcome },
      };
    });
  }

  /** Keeps what became of a probe. */
  async probed(tx: Transaction, channel: string, reason: string | null, tookMs: number, at: Date): Promise<void> {
    await tx.query('INSERT INTO canary_probes (channel, outcome, reason, took_ms, at) VALUES ($1, $2, $3, $4, $5)', [
      ...[channel, reason === null ? 'answered' : 'failed', reason ?? '', tookMs, at],
    ]);
  }

  /** Ends what lasts of channels that are no longer set up. @returns those */
  async closeChannelsBut(tx: Transaction, channels: readonly string[], now: number): Promise<string[]> {
    const [rows] = await tx.query<[{ subject: string }[], number]>(
      `UPDATE canary_episodes SET ended_at = $2
       WHERE kind = 'channel' AND ended_at IS NULL AND NOT subject = ANY($1) RETURNING subject`,
      [channels, new Date(now)],
    );
    return rows.map(({ subject }) => subject);
  }

  /** Opens and ends episodes. */
  async apply(tx: Transaction, changes: readonly HealthChange[], now: number): Promise<void> {
    for (const { kind, subject, opened, closed } of changes) {
      for (const { part, reason } of opened) {
        await tx.query(
          `INSERT INTO canary_episodes (kind, subject, part, reason, started_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING`,
          [kind, subject, part, reason, new Date(now)],
        );
      }
      await tx.query('UPDATE canary_episodes SET ended_at = $2 WHERE id = ANY($1)', [
        closed.map(({ id }) => id),
        new Date(now),
      ]);
    }
  }

  private async episodes(tx: Transaction, kind: 'monitor' | 'channel'): Promise<Map<string, Episode[]>> {
    const rows = await tx.query<EpisodeRow[]>(
      `SELECT id, kind, subject, part, started_at FROM canary_episodes WHERE kind = $1 AND ended_at IS NULL
       ORDER BY array_position(ARRAY['run', 'video', 'audio', 'speech', 'chat'], part)`,
      [kind],
    );
    const bySubject = new Map<string, Episode[]>();
    for (const { id, subject, part, started_at: startedAt } of rows) {
      const episode = { id, part, startedAt: startedAt.getTime() };
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), episode]);
    }
    return bySubject;
  }
}
