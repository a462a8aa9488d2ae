import { Severity } from '#libs/contracts/primitives.js';

/** Severities, the least grave first. */
export const SEVERITIES: readonly Severity[] = Severity.options;

/** Whether a severity is at least as grave as another. */
export function reaches(severity: Severity, floor: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(floor);
}
