import type { ApiSettings } from '../runtime.module.js';

/** Longer than monitors pause between two reports, with time for the way, ms. */
const LONGEST_MS = 45_000;

/** A monitor that has said nothing for so long is silent: of less, news may be on the way, ms. */
export function silentMsOf({ BLIND_AFTER_MS: blip }: Pick<ApiSettings, 'BLIND_AFTER_MS'>): number {
  return blip === 0 ? LONGEST_MS : Math.min(LONGEST_MS, blip);
}
