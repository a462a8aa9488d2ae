import type { CaptureJob } from '#libs/contracts/captures.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';

/** What a monitor can do. */
export interface Abilities {
  monitorId: string;
  room: number;
  platforms: readonly { id: string }[];
  detectors: readonly { id: string; state: MonitorHeartbeat['detectors'][number]['state'] }[];
}

/** Ids of the detectors that look at pictures and that write speech down. */
export interface DetectorIds {
  video: string;
  speech: string;
}

/**
 * Why a capture is better watched by another monitor, in a sentence; null when it is not. A platform that this one
 * lacks is waited for however full the others are, as it can do nothing here; for a detector that this one lacks only a
 * monitor with room counts, for half a watch is better than none. What nobody has moves nothing. Pure.
 */
export function betterElsewhere(
  job: CaptureJob,
  own: Abilities,
  others: readonly Abilities[],
  ids: DetectorIds,
): string | null {
  const { platform, parts } = job;
  const captures = parts.includes('video') || parts.includes('audio');
  const has = (monitor: Abilities): boolean => monitor.platforms.some(({ id }) => id === platform);
  if (captures && !has(own)) {
    const other = others.find(has);
    return other === undefined ? null : `It needs the platform "${platform}", which ${other.monitorId} has.`;
  }
  const needed = [...(parts.includes('video') ? [ids.video] : []), ...(parts.includes('audio') ? [ids.speech] : [])];
  const lacking = (monitor: Abilities): string[] => needed.filter((id) => !works(monitor, id));
  const missing = lacking(own);
  const better = others.find(
    (other) => other.room > 0 && (has(other) || !captures) && lacking(other).length < missing.length,
  );
  if (better === undefined) return null;
  return `It needs the detector "${missing.join('", "')}", which ${better.monitorId} has.`;
}

/** One that is loading is as good as one that runs: it will in a moment. */
function works(monitor: Abilities, detectorId: string): boolean {
  return monitor.detectors.some(({ id, state }) => id === detectorId && state !== 'degraded');
}
