import { Injectable } from '@nestjs/common';
import type { CoveragePart, GapReason, ReportedGap } from '#libs/contracts/coverage.js';
import type { Transaction } from '../database/transaction.js';
import type { PartState } from './blindness.js';

/** It is not looked further back for the last time that a part was watched, ms. */
const LOOK_BACK_MS = 24 * 3_600_000;
/** In these gaps there is nothing that anybody could watch, or nothing that could be done. */
const NO_ALARM: readonly ReportedGap[] = ['offline', 'absent', 'adverts', 'no_sound'];

interface StateRow {
  stream_id: string;
  name: string;
  part: CoveragePart;
  since: Date;
  said_gap: ReportedGap | null;
  said_until: Date | null;
  is_last: boolean | null;
  episode_id: string | null;
  episode_started_at: Date | null;
  episode_ended_at: Date | null;
}

/** Stretches in which a part was not watched and people were told. */
@Injectable()
export class BlindEpisodesRepository {
  /**
   * Parts that should be watched and have not been for longer than `afterMs`, and all that have an open episode.
   * @param silentMs a monitor that has said nothing for so long is silent
   */
  async states(
    tx: Transaction,
    parts: readonly CoveragePart[],
    now: number,
    afterMs: number,
    silentMs: number,
  ): Promise<PartState[]> {
    const rows = await tx.query<StateRow[]>(
      `SELECT p.stream_id, s.name, p.part, x.since, l.gap AS said_gap, l.ended_at AS said_until, l.is_last,
              e.id AS episode_id, e.started_at AS episode_started_at,
              (SELECT min(greatest(c.started_at, e.started_at)) FROM coverage_spans c
               WHERE c.stream_id = p.stream_id AND c.part = p.part AND c.started_at > e.started_at - interval '1 hour'
                 AND c.ended_at > e.started_at AND (c.gap IS NULL OR c.gap = ANY($4))) AS episode_ended_at
       FROM watch_periods p
       JOIN streams s ON s.id = p.stream_id
       LEFT JOIN blind_episodes e ON e.stream_id = p.stream_id AND e.part = p.part AND e.ended_at IS NULL
       LEFT JOIN LATERAL (
         SELECT max(c.ended_at) AS until FROM coverage_spans c
         WHERE c.stream_id = p.stream_id AND c.part = p.part AND c.started_at > $3
           AND (c.gap IS NULL OR c.gap = ANY($4))) AS w ON true
       CROSS JOIN LATERAL (SELECT greatest(p.started_at, w.until, $3) AS since) AS x
       LEFT JOIN LATERAL (
         SELECT c.gap, c.ended_at, c.is_last FROM coverage_spans c
         WHERE c.stream_id = p.stream_id AND c.part = p.part AND c.started_at > p.started_at - interval '1 hour'
         ORDER BY c.started_at DESC, c.session DESC LIMIT 1) AS l ON l.ended_at > p.started_at
       WHERE p.ended_at IS NULL AND p.part = ANY($1) AND (e.id IS NOT NULL OR x.since < $2)
       ORDER BY p.stream_id, p.part`,
      [parts, new Date(now - afterMs), new Date(now - LOOK_BACK_MS), NO_ALARM],
    );
    return rows.map((row) => ({
      ...{ streamId: row.stream_id, streamName: row.name, part: row.part, since: row.since.getTime() },
      gap: gapOf(row, now - silentMs),
      episode:
        row.episode_id === null || row.episode_started_at === null
          ? null
          : { id: row.episode_id, startedAt: row.episode_started_at.getTime() },
      endedAt: row.episode_ended_at?.getTime() ?? null,
    }));
  }

  /** Opens an episode for each. */
  async open(tx: Transaction, states: readonly PartState[]): Promise<void> {
    await tx.query(
      `INSERT INTO blind_episodes (stream_id, part, gap, started_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
      [
        states.map(({ streamId }) => streamId),
        states.map(({ part }) => part),
        states.map(({ gap }) => gap),
        states.map(({ since }) => new Date(since)),
      ],
    );
  }

  /** Notes when the episodes of these ended. */
  async close(tx: Transaction, states: readonly PartState[], now: number): Promise<void> {
    await tx.query(
      `UPDATE blind_episodes e SET ended_at = c.at FROM unnest($1::uuid[], $2::timestamptz[]) AS c (id, at)
       WHERE e.id = c.id`,
      [states.map(({ episode }) => episode?.id), states.map(({ endedAt }) => new Date(endedAt ?? now))],
    );
  }

  /** Ends the episodes of what should not be watched any more. @returns their streams. */
  async closeUnwanted(tx: Transaction, parts: readonly CoveragePart[], now: number): Promise<string[]> {
    const [rows] = await tx.query<[{ stream_id: string }[], number]>(
      `UPDATE blind_episodes e SET ended_at = greatest($2, e.started_at)
       WHERE e.ended_at IS NULL AND (NOT e.part = ANY($1) OR NOT EXISTS (
         SELECT 1 FROM watch_periods p WHERE p.stream_id = e.stream_id AND p.part = e.part AND p.ended_at IS NULL))
       RETURNING stream_id`,
      [parts, new Date(now)],
    );
    return [...new Set(rows.map(({ stream_id: streamId }) => streamId))];
  }
}

function gapOf({ said_gap: gap, said_until: until, is_last: isLast }: StateRow, heardSince: number): GapReason {
  if (until === null) return 'unassigned';
  if (isLast === true) return 'restarting';
  // What was watched a moment ago is watched no longer only if the one who watched fell silent.
  return until.getTime() < heardSince || gap === null ? 'crash' : gap;
}
