import type { CoveragePart, GapReason } from '#libs/contracts/coverage.js';

/** A part that should be watched, as far as the alarm looks at it; times are epoch ms. */
export interface PartState {
  streamId: string;
  streamName: string;
  part: CoveragePart;
  /** Since when there was something to watch and nobody did. */
  since: number;
  /** Why, as far as is known. */
  gap: GapReason;
  /** The episode that people know of; null when there is none. */
  episode: { id: string; startedAt: number } | null;
  /** Where there is an episode: when its end was, as far as it has one. */
  endedAt: number | null;
}

/** What follows for the parts of one stream. */
export interface BlindChange {
  streamId: string;
  streamName: string;
  parts: PartState[];
}

/** When a part counts as blind. */
export interface BlindRule {
  afterMs: number;
  /** Before that nobody looked: what was missed meanwhile may be about to arrive. */
  lookingSince: number;
}

/**
 * Which streams people have to hear of: parts that have not been watched for longer than the blip timer, once, and
 * those that are again.
 */
export function blindChanges(
  states: readonly PartState[],
  now: number,
  { afterMs, lookingSince }: BlindRule,
): { opened: BlindChange[]; closed: BlindChange[] } {
  const isBlind = ({ since }: PartState): boolean => now - since > afterMs;
  const opened = states.filter((state) => state.episode === null && isBlind(state) && now - lookingSince > afterMs);
  const closed = states.filter((state) => state.episode !== null && !isBlind(state));
  return { opened: byStream(opened), closed: byStream(closed) };
}

const PARTS: Readonly<Record<CoveragePart, string>> = {
  ...{ video: 'the picture', audio: 'the sound', speech: 'what is said', chat: 'the chat' },
};

const REASONS: Readonly<Record<GapReason, string>> = {
  starting: 'its capture does not get going',
  offline: 'it is not on air',
  absent: 'it has none',
  token: 'its source asks for a key, or the key has expired',
  blocked: 'its source may not be watched from here',
  network: 'its source cannot be reached, or sends nothing',
  misconfigured: 'its address leads to nothing that can be watched',
  capture_failed: 'its capture fails',
  model_missing: 'a model is missing',
  detector_failed: 'a detector fails',
  shed: 'there is no time for it: start another monitor',
  adverts: 'its source sends adverts',
  no_sound: 'no sound arrives, or it cannot be decoded',
  crash: 'nothing is heard of its monitor any more',
  restarting: 'its session has ended and no monitor has begun another',
  unassigned: 'no monitor has taken it',
};

/** What a person reads of parts that are not watched. */
export function blindText({ parts }: BlindChange): string {
  const since = Math.min(...parts.map((state) => state.since));
  const reasons = [...new Set(parts.map(({ gap }) => REASONS[gap]))];
  return capital(`${namesOf(parts)} not watched since ${new Date(since).toISOString()}: ${reasons.join('; ')}.`);
}

/** What a person reads when they are again, or need not be any more. */
export function overText({ parts }: BlindChange): string {
  const lasted = Math.max(...parts.map(({ episode, endedAt }) => (endedAt ?? 0) - (episode?.startedAt ?? 0)));
  if (lasted <= 0) return capital(`${namesOf(parts)} watched all the time; only the news of it came late.`);
  const gaps = new Set(parts.map(({ gap }) => gap));
  const state = gaps.size === 1 && gaps.has('offline') ? 'off air' : 'watched again';
  return capital(`${namesOf(parts)} ${state}; it was not watched for ${spoken(lasted)}.`);
}

function namesOf(parts: readonly PartState[]): string {
  return `${parts.map(({ part }) => PARTS[part]).join(', ')} ${parts.length === 1 ? 'is' : 'are'}`;
}

function byStream(states: readonly PartState[]): BlindChange[] {
  const changes = new Map<string, BlindChange>();
  for (const state of states) {
    const { streamId, streamName } = state;
    const change = changes.get(streamId) ?? { streamId, streamName, parts: [] };
    changes.set(streamId, change);
    change.parts.push(state);
  }
  return [...changes.values()];
}

function spoken(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 120) return `${String(seconds)} s`;
  return seconds < 7_200 ? `${String(Math.round(seconds / 60))} min` : `${String(Math.round(seconds / 3_600))} h`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
