import type { QueuedCapture } from '#libs/bus/capture-queue.js';
import type { MonitorHeartbeat, SessionReport } from '#libs/contracts/monitors.js';
import type { StatusReason } from '#libs/contracts/primitives.js';
import type { StreamEntity } from '../streams/stream.entity.js';

/** What is, and what should be, at one moment. Captures must have been read before the streams. */
interface Situation {
  captures: ReadonlyMap<string, QueuedCapture>;
  desired: readonly StreamEntity[];
  monitors: readonly MonitorHeartbeat[];
}

/** What to do about the difference. */
interface Alignment {
  add: StreamEntity[];
  stop: { streamId: string; upToGeneration: number }[];
  /** Nobody watches these, though their status says so or says nothing. */
  pending: { row: StreamEntity; reason: StatusReason | null; detail: string }[];
  /** Streams whose old capture must end before the new one can be added: look again soon. */
  replacing: number;
}

/** A session as a monitor reports it. */
interface ReportedSession {
  report: SessionReport;
  monitor: MonitorHeartbeat;
}

/** The newest reported session of each stream. */
export function sessionsOf(monitors: readonly MonitorHeartbeat[]): Map<string, ReportedSession> {
  const sessions = new Map<string, ReportedSession>();
  for (const monitor of monitors) {
    for (const report of monitor.sessions) {
      const known = sessions.get(report.streamId);
      if (known === undefined || known.report.session < report.session) {
        sessions.set(report.streamId, { report, monitor });
      }
    }
  }
  return sessions;
}

/**
 * Compares what is with what should be; pure and level-triggered: it does not matter how the difference came about,
 * and doing it twice does no harm.
 */
export function align({ captures, desired, monitors }: Situation): Alignment {
  const alignment: Alignment = { add: [], stop: [], pending: [], replacing: 0 };
  const sessions = sessionsOf(monitors);
  const wanted = new Map(desired.map((row) => [row.id, row]));
  for (const row of desired) {
    const capture = captures.get(row.id);
    if (capture === undefined) alignment.add.push(row);
    else if (capture.generation < row.generation) {
      alignment.stop.push({ streamId: row.id, upToGeneration: row.generation - 1 });
      alignment.replacing += 1;
    }
    const pending = pendingOf(row, monitors.length, capture, sessions.has(row.id));
    if (pending !== null) alignment.pending.push({ row, ...pending });
  }
  for (const { streamId, generation } of captures.values()) {
    if (!wanted.has(streamId)) alignment.stop.push({ streamId, upToGeneration: generation });
  }
  for (const [streamId, { report }] of sessions) {
    const row = wanted.get(streamId);
    const due = row === undefined || report.generation < row.generation;
    if (due && !captures.has(streamId)) alignment.stop.push({ streamId, upToGeneration: report.generation });
  }
  return alignment;
}

function pendingOf(
  row: StreamEntity,
  monitors: number,
  capture: QueuedCapture | undefined,
  reported: boolean,
): { reason: StatusReason | null; detail: string } | null {
  if (monitors === 0) {
    const told = row.status === 'pending' && row.reason === 'no_monitor';
    return told
      ? null
      : { reason: 'no_monitor', detail: 'No monitor is running: start one, and it takes this stream.' };
  }
  if (reported) return null;
  if (row.status === 'pending') {
    return row.reason === 'no_monitor' ? { reason: null, detail: 'Waiting for a monitor to take it.' } : null;
  }
  // Active without a report: it was taken a moment ago, or its monitor died and the lease still runs.
  if (capture?.state === 'active') return null;
  const watched = row.status === 'live' || row.status === 'starting' || row.status === 'degraded';
  return watched ? { reason: 'restarting', detail: 'Its monitor is gone; another one takes over.' } : null;
}
