import type { Modality } from '#libs/contracts/primitives.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { onAirAt } from './origin.js';

/** A finding as the demo tells it. */
export interface Finding {
  id: string;
  kind: Modality;
  label: string;
  /** When the demo learnt of it, epoch ms. */
  at: number;
  /** Detector, and the model behind it where that is something else. */
  by: string;
  /** A sentence or a line of chat, in three pieces; the middle one is what was found and may be empty. */
  words: readonly [before: string, found: string, after: string];
  /** Whose words they are; empty when nobody's. */
  speaker: string;
  /** How the words were read, where that is not plainly. */
  reading: string | null;
  /** Lines of chat before it, `who: what`, oldest first. */
  context: readonly string[];
  /** Score of an object; null for what is heard or read. */
  score: number | null;
  /** From being on air, or being sent, to here; null when the clocks do not tell. */
  latencyMs: number | null;
  /** Address of its picture or sound, null when none was kept. */
  evidence: string | null;
}

/** A time beyond this is none of this stream's clock, so it says nothing, ms. */
const LONGEST_LATENCY_MS = 600_000;

/**
 * Puts a detection in the demo's words.
 * @param airStart when the stream's first frame was on air, epoch ms
 */
export function findingOf(detection: DetectionView, evidence: string | null, airStart: number, now: number): Finding {
  const { id, kind, label, confidence, detector, model, detail, quote, chat, ptsMs } = detection;
  const began = ptsMs !== null ? onAirAt(airStart, ptsMs, now) : (chat?.message?.sentAt ?? null);
  const passed = began === null ? -1 : Math.round(now - began);
  return {
    ...{ id, kind, label, at: now, evidence },
    by: model === detector ? detector : `${detector}, ${model}`,
    words:
      quote === null
        ? [detail, '', '']
        : [quote.text.slice(0, quote.start), quote.text.slice(quote.start, quote.end), quote.text.slice(quote.end)],
    speaker: chat?.message?.username ?? '',
    reading: quote === null || quote.view === 'plain' ? null : quote.view,
    context: (chat?.before ?? []).slice(-3).map(({ username, text }) => `${username}: ${text}`),
    score: kind === 'video' ? confidence : null,
    latencyMs: passed >= 0 && passed < LONGEST_LATENCY_MS ? passed : null,
  };
}

/** The line in which the terminal tells of it. */
export function lineOf(finding: Finding): string {
  const { kind, label, words, speaker, score, latencyMs, reading, by } = finding;
  const [before, found, after] = words;
  const said = `${before}${found === '' ? '' : `[${found}]`}${after}`;
  const since = kind === 'chat' ? 'after it was sent' : 'after it was on air';
  const parts = [
    `${kind.padEnd(5)}  ${label}${score === null ? '' : ` ${score.toFixed(2)}`}`,
    ...(said === '' ? [] : [speaker === '' ? said : `${speaker}: ${said}`]),
  ];
  const notes = [
    ...(reading === null ? [] : [`read as ${reading}`]),
    ...(latencyMs === null ? [] : [`${latencyMs} ms ${since}`]),
    by,
  ];
  return `${new Date(finding.at).toLocaleTimeString()}  ${parts.join(': ')}  (${notes.join('; ')})`;
}
