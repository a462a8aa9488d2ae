import type { StatusReason } from '#libs/contracts/primitives.js';
import { AppError } from '#libs/errors/app-error.js';

/** What the egress lane refused or saw fail. */
export interface CaptureFault {
  reason: StatusReason;
  /** A sentence for a person. */
  detail: string;
  /** Epoch ms. */
  at: number;
}

/** Why a capture ended. The message is a sentence for a person; `details.log` holds ffmpeg's last words, redacted. */
export class CaptureError extends AppError {
  constructor(
    readonly reason: StatusReason,
    message: string,
    details: { log?: readonly string[]; exitCode?: number | null } = {},
  ) {
    super(`capture.${reason}`, 'operational', message, { reason, ...details });
  }
}

/** How a run of ffmpeg ended, as far as this side saw it. */
export interface CaptureEnd {
  exitCode: number | null;
  stalledMs: number | null;
  frames: number;
  /** The newest fault of the egress lane since the last frame. */
  fault: CaptureFault | null;
  /** ffmpeg's last lines. */
  log: readonly string[];
}

/** Patterns of ffmpeg's own words (libavformat, libavutil/error.c), the first that is found decides. */
const SYMPTOMS: readonly (readonly [RegExp, StatusReason, string])[] = [
  [
    /not on whitelist|Protocol not found|(?:key file |first segment ')(?!(?:crypto\+)?https?:)[a-z][a-z0-9+.-]{0,30}:/i,
    'refused_address',
    'It leads to a protocol that is not allowed.',
  ],
  [
    /Server returned 40[13]|HTTP error 40[13]|\b401 Unauthorized|Unauthorized/i,
    'forbidden',
    'The server refuses access.',
  ],
  [/Server returned 404|HTTP error 4(04|10)|\b404 Not Found/i, 'not_found', 'The server does not have it.'],
  [/Failed to resolve hostname|Name or service not known/i, 'unknown_host', 'The host name does not exist.'],
  [/Connection timed out|Operation timed out|ETIMEDOUT/i, 'stalled', 'The server stopped answering.'],
  [
    /Connection refused|Connection reset|unreachable|No route to host|Server returned 5|HTTP error 5|Input\/output error/i,
    'unreachable',
    'The server cannot be reached.',
  ],
  [
    /Invalid data found|matches no streams|does not contain any stream|Could not find codec parameters|Unable to find a suitable|Invalid argument/i,
    'not_a_stream',
    'It answers, but not with a video stream that can be read.',
  ],
];

/** Says in one typed error why a run ended. */
export function explainEnd(end: CaptureEnd): CaptureError {
  const details = { log: end.log.slice(-12), exitCode: end.exitCode };
  if (end.fault?.reason === 'budget_exceeded' || end.fault?.reason === 'refused_address') {
    return new CaptureError(end.fault.reason, end.fault.detail, details);
  }
  if (end.stalledMs !== null) {
    return new CaptureError('stalled', `No picture came for ${Math.round(end.stalledMs / 1_000)} s.`, details);
  }
  if (end.fault !== null) return new CaptureError(end.fault.reason, end.fault.detail, details);
  if (end.exitCode === 0 && end.frames > 0) return new CaptureError('ended', 'The stream has ended.', details);
  const text = end.log.join('\n');
  for (const [pattern, reason, sentence] of SYMPTOMS) {
    if (pattern.test(text)) return new CaptureError(reason, sentence, details);
  }
  if (end.exitCode === 0) return new CaptureError('not_a_stream', 'It holds no picture.', details);
  return new CaptureError('capture_failed', `ffmpeg ended with code ${end.exitCode ?? 'none'}.`, details);
}
