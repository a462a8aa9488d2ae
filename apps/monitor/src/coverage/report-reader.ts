import type { CoveragePart, ReportedGap } from '#libs/contracts/coverage.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import type { StatusReason } from '#libs/contracts/primitives.js';
import type { Reading } from './part-track.js';

/** What each reason of a status means for the time it lasts. */
const GAPS: Readonly<Record<StatusReason, ReportedGap>> = {
  ...{ unknown_host: 'network', unreachable: 'network', stalled: 'network' },
  ...{ not_found: 'offline', offline: 'offline', gone: 'offline', ended: 'offline' },
  ...{ forbidden: 'token', auth_required: 'token' },
  ...{ refused_address: 'blocked', private: 'blocked', geo_blocked: 'blocked', challenge: 'blocked' },
  budget_exceeded: 'blocked',
  ...{ not_a_stream: 'misconfigured', unsupported_scheme: 'misconfigured', program_missing: 'misconfigured' },
  ...{ capture_failed: 'capture_failed', model_missing: 'model_missing', detector_failed: 'detector_failed' },
  ...{ restarting: 'starting', no_monitor: 'starting' },
};

/** Speech that was given up makes the part degraded for so long: then it is not the engine that is missing, ms. */
const BEHIND_MS = 62_000;

/**
 * Over so long it is counted which part of the frames was shed, and as great a part of as long a time is then told as
 * not watched, ms: frame by frame the ledger would have a row for each.
 */
const SHED_WINDOW_MS = 60_000;

const gapFor = (gap: ReportedGap): Reading => ({ gap, isProven: false, unless: gap });

/** Reads from the reports of one session, one after the other, which of its parts are truly watched. */
export class ReportReader {
  private before = { inspected: 0, captured: 0, heardMs: 0, droppedMs: 0 };
  /** Frames that had come when the last one was inspected. */
  private capturedAtProof = 0;
  private behindAt = Number.NEGATIVE_INFINITY;
  private shedUntil = Number.NEGATIVE_INFINITY;
  private window: { at: number; captured: number; shed: number } | null = null;
  private unseenUntil = Number.NEGATIVE_INFINITY;

  /** @param at moment of the report, epoch ms */
  read(report: SessionReport, at: number): Record<CoveragePart, Reading> {
    const { framesInspected: inspected, framesCaptured: captured } = report;
    const { heardMs, droppedMs } = report.sound ?? this.before;
    const seen = inspected > this.before.inspected;
    const heard = heardMs > this.before.heardMs;
    if (seen) this.capturedAtProof = captured;
    if (droppedMs > this.before.droppedMs) {
      this.behindAt = at;
      // As long a gap as speech was given up, whenever that was said.
      this.shedUntil = Math.max(at, this.shedUntil) + droppedMs - this.before.droppedMs;
    }
    this.before = { inspected, captured, heardMs, droppedMs };
    this.countShed(report, at);
    const audio = this.audio(report, heard);
    return { video: this.video(report, seen, at), audio, speech: this.speech(report, audio, at), chat: chatOf(report) };
  }

  private countShed({ framesCaptured: captured, framesShed: shed = 0 }: SessionReport, at: number): void {
    const window = (this.window ??= { at, captured, shed });
    const passedMs = at - window.at;
    if (passedMs < SHED_WINDOW_MS) return;
    const part = (shed - window.shed) / Math.max(1, captured - window.captured);
    if (part > 0) this.unseenUntil = at + part * passedMs;
    this.window = { at, captured, shed };
  }

  private video(report: SessionReport, seen: boolean, at: number): Reading {
    const { state } = report.parts.video;
    // A picture that is degraded without a reason is short of inspections, or adverts hide it.
    const isShort = state === 'degraded' && report.reason === null && (report.grantedFps ?? null) !== null;
    if (state === 'live' || isShort) {
      if (at < this.unseenUntil) return gapFor('shed');
      const shed = report.framesCaptured > this.capturedAtProof;
      return { gap: null, isProven: seen, unless: shed ? 'shed' : 'network' };
    }
    if (state === 'off') return gapFor('absent');
    if (state === 'degraded') return gapFor(report.reason === null ? 'adverts' : GAPS[report.reason]);
    return gapFor(reasonOf(report));
  }

  private audio(report: SessionReport, heard: boolean): Reading {
    const { state } = report.parts.audio;
    if (state === 'live') return { gap: null, isProven: heard, unless: 'network' };
    if (state === 'off') return gapFor('absent');
    // The rules of the sound hear without the voice detector.
    if (state === 'degraded') return heard ? { gap: null, isProven: true, unless: 'no_sound' } : gapFor('no_sound');
    return gapFor(report.status === state ? reasonOf(report) : 'starting');
  }

  private speech(report: SessionReport, audio: Reading, at: number): Reading {
    const { state } = report.parts.speech;
    if (at < this.shedUntil) return gapFor('shed');
    if (state === 'degraded' && at - this.behindAt > BEHIND_MS) return gapFor('model_missing');
    if (state === 'starting' && audio.gap === null) return gapFor('starting');
    return audio;
  }
}

function chatOf({ parts }: SessionReport): Reading {
  switch (parts.chat.state) {
    case 'live':
      return { gap: null, isProven: true, unless: 'network' };
    case 'off':
      return gapFor('absent');
    case 'degraded':
      return gapFor('network');
    case 'error':
      return gapFor('token');
    case 'starting':
    case 'offline':
      return gapFor(parts.chat.state);
  }
}

function reasonOf({ reason }: SessionReport): ReportedGap {
  return reason === null ? 'starting' : GAPS[reason];
}
