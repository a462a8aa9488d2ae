import { Signal } from '#libs/contracts/primitives.js';
import type { DetectionView } from '#libs/contracts/sockets.js';

/** Longest texts, UTF-16 units. */
const [TITLE_LIMIT, BODY_LIMIT] = [200, 300];
/** Longest names inside of them. */
const [LABEL_LIMIT, STREAM_LIMIT, AUTHOR_LIMIT] = [80, 80, 50];

/** What people call the signals. */
const SIGNALS: Readonly<Record<Signal, string>> = {
  dead_air: 'Dead air',
  audio_lost: 'No sound',
  clipping: 'Clipping sound',
  loudness_jump: 'A jump in loudness',
  speech_activity: 'Speech',
  hostile_chat: 'Hostile chat',
};

/** What a person reads first: what was found, where. One line, bounded. */
export function titleOf(detection: DetectionView): string {
  const stream = streamTitle(detection.streamName);
  const label = cut(plain(detection.label), LABEL_LIMIT);
  return cut(`${subjectOf(detection, label)} ${stream}`, TITLE_LIMIT);
}

function subjectOf(detection: DetectionView, label: string): string {
  if (detection.kind === 'video') return `${label} on`;
  const signal = Signal.safeParse(detection.label);
  // Signals need no rule; a keyword of the same name has one.
  if (detection.ruleId === null) return `${signal.success ? SIGNALS[signal.data] : label} on`;
  return detection.kind === 'chat' ? `“${label}” in chat of` : `“${label}” said on`;
}

/** What a person reads next: the sentence of a signal, the words in which a keyword was found. One line, bounded. */
export function bodyOf(detection: DetectionView): string {
  const { kind, ruleId, quote, chat, detail, detectedAt, confidence } = detection;
  if (kind === 'video') return `Seen at ${detectedAt} with a confidence of ${confidence.toFixed(2)}.`;
  const sentence = ruleId === null ? plain(detail) : '';
  if (sentence !== '') return cut(sentence, BODY_LIMIT);
  const words = quote === null ? plain(chat?.message?.text ?? '') : excerptOf(quote);
  if (words !== '') {
    const author = cut(plain(chat?.message?.username ?? ''), AUTHOR_LIMIT);
    return cut(author === '' ? words : `${author}: ${words}`, BODY_LIMIT);
  }
  return cut(plain(detail), BODY_LIMIT) || `${kind === 'chat' ? 'Read' : 'Heard'} at ${detectedAt}.`;
}

/** A stream's name for a sentence: one line, bounded. */
export function streamTitle(name: string): string {
  return cut(plain(name), STREAM_LIMIT);
}

/** What was found with what is around it, as much as there is room for. */
function excerptOf({ text, start, end }: { text: string; start: number; end: number }): string {
  const room = BODY_LIMIT - AUTHOR_LIMIT - 4;
  if (text.length <= room) return plain(text);
  const middle = Math.floor((start + Math.min(end, start + room)) / 2);
  const from = Math.max(0, Math.min(middle - Math.floor(room / 2), text.length - room));
  const part = plain(text.slice(from, from + room));
  return `${from > 0 ? '…' : ''}${part}${from + room < text.length ? '…' : ''}`;
}

/**
 * One line that shows what it says: no control characters or line breaks, nothing that turns the direction of what
 * follows, no halves of surrogate pairs.
 */
export function plain(text: string): string {
  return text
    .replace(/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\p{Cs}]/gu, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();
}

/** At most so many UTF-16 units, never half a character. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…`;
}
