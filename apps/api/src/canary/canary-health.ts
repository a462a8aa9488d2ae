import type { CanaryOutcome } from '#libs/contracts/canary.js';
import { CANARY_RUN_MS } from '#libs/contracts/canary.js';
import type { CoveragePart } from '#libs/contracts/coverage.js';

/** What can be wrong: a part, that no run comes out at all, a probe of a channel. */
export type Trouble = CoveragePart | 'run' | 'probe';

/** Something that people were told of, and that lasts; times are epoch ms. */
export interface Episode {
  id: string;
  part: Trouble;
  startedAt: number;
}

/** One monitor's canary, as far as the alarm looks at it. */
export interface MonitorState {
  monitorId: string;
  everyMs: number;
  /** Whether the monitor is heard of now. */
  isThere: boolean;
  /** Since when runs are to be expected. */
  expectedSince: number;
  /** The latest complete run: when the last of it was stored, and what became of each part. */
  run: { storedAt: number; parts: readonly { part: CoveragePart; outcome: CanaryOutcome; reason: string }[] } | null;
  episodes: readonly Episode[];
}

/** One channel's probes. */
export interface ChannelState {
  channel: string;
  /** Since when every probe has failed, and what the latest said; null when the latest was answered. */
  failing: { since: number; reason: string } | null;
  episodes: readonly Episode[];
}

/** What is new of a monitor or a channel. */
export interface HealthChange {
  kind: 'monitor' | 'channel';
  subject: string;
  opened: { part: Trouble; reason: string; since: number }[];
  /** What is over. */
  closed: Episode[];
}

/** When a canary counts as late. */
export interface HealthRule {
  graceMs: number;
  /** Before that nobody could have seen a run: what was missed meanwhile may be about to arrive. */
  lookingSince: number;
}

/** What follows for one monitor: each trouble is told once, and that it is over by a run that shows it. */
export function monitorChange(state: MonitorState, now: number, rule: HealthRule): HealthChange {
  const { monitorId: subject, everyMs, run, episodes, isThere } = state;
  const change: HealthChange = { kind: 'monitor', subject, opened: [], closed: [] };
  const lastProof = Math.max(run?.storedAt ?? 0, state.expectedSince);
  const patienceMs = everyMs + CANARY_RUN_MS + rule.graceMs;
  const isLate = now - lastProof > patienceMs && now - rule.lookingSince > rule.graceMs;
  const known = (part: Trouble): boolean => episodes.some((episode) => episode.part === part);
  if (isLate && !known('run')) {
    const reason = isThere ? 'no run comes out of it' : 'nothing is heard of it any more';
    change.opened.push({ part: 'run', reason, since: lastProof });
  }
  for (const { part, outcome, reason } of run?.parts ?? []) {
    if (outcome === 'missed' && !known(part)) change.opened.push({ part, reason, since: run?.storedAt ?? now });
  }
  for (const episode of episodes) {
    const part = run?.parts.find((one) => one.part === episode.part);
    const isProven = episode.part === 'run' || (part !== undefined && part.outcome !== 'missed');
    if (run !== null && run.storedAt > episode.startedAt && isProven && !(episode.part === 'run' && isLate)) {
      change.closed.push(episode);
    }
  }
  return change;
}

/** The same for a channel: a probe may fail for a while. */
export function channelChange(
  { channel, failing, episodes }: ChannelState,
  now: number,
  graceMs: number,
): HealthChange {
  const change: HealthChange = { kind: 'channel', subject: channel, opened: [], closed: [] };
  if (failing === null) change.closed.push(...episodes);
  else if (episodes.length === 0 && now - failing.since >= graceMs) {
    change.opened.push({ part: 'probe', reason: failing.reason, since: failing.since });
  }
  return change;
}

const NAMES: Readonly<Record<Trouble, string>> = {
  ...{ video: 'the picture', audio: 'the sound', speech: 'what is said', chat: 'the chat' },
  ...{ run: 'its canary', probe: 'the channel' },
};

/** What a person reads of what went wrong. */
export function openedText({ opened }: HealthChange): string {
  return opened
    .map(({ part, reason, since }) => {
      const at = new Date(since).toISOString();
      if (part === 'run') return `Its canary has not come out since ${at}: ${reason}.`;
      if (part === 'probe') return `It has not answered since ${at}: ${reason}`;
      return `What was planted in ${NAMES[part]} was not found at ${at}: ${reason}`;
    })
    .join(' ');
}

/** What a person reads when it is over. */
export function closedText({ closed }: HealthChange, now: number): string {
  const names = closed.map(({ part }) => NAMES[part]).join(', ');
  const lastedMs = now - Math.min(...closed.map(({ startedAt }) => startedAt));
  const text = `${names} ${closed.length === 1 ? 'works' : 'work'} again, after ${String(Math.max(1, Math.round(lastedMs / 60_000)))} min.`;
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
