/**
 * Who an error is for:
 * - `user`: the caller can mend it (bad input, no permission, conflict);
 * - `operational`: the world outside misbehaved (a stream is offline, Redis is down), expected and handled;
 * - `unexpected`: a defect of ours.
 */
export type ErrorKind = 'user' | 'operational' | 'unexpected';

/** Extra facts that travel with an error; never secrets, for they are logged and may reach the caller. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error type that crosses rooms. `code` is stable, dotted and documented (`stream.not_found`);
 * the message is a sentence for a person that says what to do next.
 */
export class AppError extends Error {
  constructor(
    readonly code: string,
    readonly kind: ErrorKind,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
