import type { StatusReason } from '#libs/contracts/primitives.js';
import { AppError } from '#libs/errors/app-error.js';

/** Why something did not go out, or did not come back. `reason` is what a stream's status shows. */
export class EgressError extends AppError {
  constructor(
    readonly reason: StatusReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(`egress.${reason}`, 'operational', message, { reason }, options);
  }
}

/** The newest thing that went wrong on a lane. */
export interface EgressFault {
  reason: StatusReason;
  /** A sentence for a person, without secrets. */
  detail: string;
  /** Epoch ms. */
  at: number;
}
