import { Occurrence, type Turn } from '../occurrence.js';
import { SlidingMean, type SoundSample } from './sound-sample.js';

/** What can be heard without any speech model. */
export type SoundKind = 'dead_air' | 'audio_lost' | 'clipping' | 'loudness_jump' | 'speech_activity';

/** A finding of one rule, once when it is confirmed and once when it is over. */
export interface SoundEvent {
  kind: SoundKind;
  change: 'opened' | 'closed';
  /** Stream time of its beginning, ms; the same in both events of one occurrence. */
  startedStreamMs: number;
  /** Stream time of its end, ms; null while it lasts. */
  endedStreamMs: number | null;
  /** A sentence for a person. */
  detail: string;
}

/** Thresholds; levels in dBFS or dB, durations in ms of stream time, shares from 0 to 1. */
export interface SoundOptions {
  deadAir: { belowDbfs: number; endDbfs: number; afterMs: number };
  audioLost: { afterMs: number; endAfterMs: number };
  clipping: { share: number; endShare: number; afterMs: number };
  loudnessJump: { byDb: number; endDb: number; afterMs: number };
  speechActivity: { share: number; endShare: number; windowMs: number };
}

export const SOUND_DEFAULTS: SoundOptions = {
  deadAir: { belowDbfs: -60, endDbfs: -54, afterMs: 10_000 },
  audioLost: { afterMs: 5_000, endAfterMs: 1_000 },
  clipping: { share: 0.01, endShare: 0.002, afterMs: 1_000 },
  loudnessJump: { byDb: 12, endDb: 6, afterMs: 500 },
  speechActivity: { share: 0.5, endShare: 0.3, windowMs: 30_000 },
};

/** A step of stream time beyond this between two samples is a gap, ms. */
const GAP_MS = 1_000;
/** Time constant of the loudness that a jump is measured against, ms. */
const BASELINE_MS = 20_000;
/** Sound that must have been heard before a jump can be told, ms. */
const BASELINE_NEEDS_MS = 5_000;
/** From this probability on a frame holds speech. */
const SPEECH = 0.5;

const TITLES: Readonly<Record<SoundKind, string>> = {
  dead_air: 'The stream has gone silent',
  audio_lost: 'The stream sends no sound any more',
  clipping: 'The sound is distorted by clipping',
  loudness_jump: 'The sound has become much louder',
  speech_activity: 'Somebody is speaking most of the time',
};

/**
 * Rules about a stream's sound that need no speech model. Pure; the only clock is stream time. Each rule has its own
 * hysteresis and gives one pair of events per occurrence. One stream.
 */
export class SoundRules {
  private readonly occurrences: Readonly<Record<SoundKind, Occurrence>>;
  private readonly clipped = new SlidingMean(1_000, 100);
  private readonly power = new SlidingMean(1_000, 100);
  private readonly speech: SlidingMean;
  private baselineDb: number | null = null;
  private baselineMs = 0;
  private lastEndMs: number | null = null;

  constructor(private readonly options: SoundOptions = SOUND_DEFAULTS) {
    const { deadAir, audioLost, clipping, loudnessJump, speechActivity } = options;
    this.speech = new SlidingMean(speechActivity.windowMs, 500);
    this.occurrences = {
      dead_air: new Occurrence({ openAfterMs: deadAir.afterMs, closeAfterMs: 300 }),
      audio_lost: new Occurrence({ openAfterMs: audioLost.afterMs, closeAfterMs: audioLost.endAfterMs }),
      clipping: new Occurrence({ openAfterMs: clipping.afterMs, closeAfterMs: 3_000 }),
      loudness_jump: new Occurrence({ openAfterMs: loudnessJump.afterMs, closeAfterMs: 1_000 }),
      speech_activity: new Occurrence({ openAfterMs: 0, closeAfterMs: 0 }),
    };
  }

  /** Which occurrences last. */
  open(): SoundKind[] {
    return SOUND_KINDS.filter((kind) => this.occurrences[kind].isOpen);
  }

  /** Takes the next frame of sound. */
  hear(sample: SoundSample): SoundEvent[] {
    const gap = this.lastEndMs !== null && Math.abs(sample.startMs - this.lastEndMs) > GAP_MS;
    const events = gap ? this.forget(this.lastEndMs ?? sample.startMs) : [];
    this.lastEndMs = sample.endMs;
    this.clipped.add(sample, sample.clipped);
    this.power.add(sample, 10 ** (sample.levelDbfs / 10));
    if (sample.speech !== null) this.speech.add(sample, sample.speech >= SPEECH ? 1 : 0);
    const { deadAir, clipping, speechActivity } = this.options;
    const conditions: [SoundKind, Condition][] = [
      ['dead_air', beyond(-sample.levelDbfs, -deadAir.belowDbfs, -deadAir.endDbfs)],
      ['audio_lost', 'off'],
      ['clipping', beyond(this.clipped.mean(), clipping.share, clipping.endShare)],
      ['loudness_jump', this.jump(sample)],
      ['speech_activity', beyond(this.speech.mean(true), speechActivity.share, speechActivity.endShare)],
    ];
    for (const [kind, condition] of conditions) {
      events.push(...told(kind, this.occurrences[kind].add(sample.startMs, sample.endMs, condition)));
    }
    return events;
  }

  /** Tells how far the stream has come by its picture, so that sound that stops is missed. */
  tick(streamTimeMs: number): SoundEvent[] {
    if (this.lastEndMs === null || streamTimeMs - this.lastEndMs <= GAP_MS) return [];
    return told('audio_lost', this.occurrences.audio_lost.add(this.lastEndMs, streamTimeMs, 'on'));
  }

  /** A new run of the capture begins: sound is missed from here on only, and nothing is known of the time between. */
  resume(streamTimeMs: number): SoundEvent[] {
    const { lastEndMs } = this;
    if (lastEndMs === null) return [];
    const events = streamTimeMs - lastEndMs > GAP_MS ? this.forget(lastEndMs) : [];
    const lost = this.occurrences.audio_lost;
    if (!lost.isOpen) lost.end(lastEndMs);
    this.lastEndMs = streamTimeMs;
    return events;
  }

  /** The stream has ended: ends what lasts. */
  close(streamTimeMs: number): SoundEvent[] {
    return [...this.forget(streamTimeMs), ...told('audio_lost', this.occurrences.audio_lost.end(streamTimeMs))];
  }

  /** Ends all that needs sound to be known. */
  private forget(atMs: number): SoundEvent[] {
    for (const mean of [this.clipped, this.power, this.speech]) mean.clear();
    return SOUND_KINDS.filter((kind) => kind !== 'audio_lost').flatMap((kind) =>
      told(kind, this.occurrences[kind].end(atMs)),
    );
  }

  /** The last second against a slow mean of what was audible; silence does not lower it. */
  private jump({ startMs, endMs, levelDbfs }: SoundSample): Condition {
    const power = this.power.mean();
    const shortDb = power === null || power === 0 ? null : 10 * Math.log10(power);
    const { byDb, endDb } = this.options.loudnessJump;
    const known = this.baselineDb !== null && this.baselineMs >= BASELINE_NEEDS_MS;
    const condition = !known || shortDb === null ? 'off' : beyond(shortDb - (this.baselineDb ?? 0), byDb, endDb);
    if (levelDbfs > this.options.deadAir.endDbfs) {
      const ms = endMs - startMs;
      this.baselineMs = Math.min(BASELINE_MS, this.baselineMs + ms);
      // At first the plain mean, then an exponential one.
      const weight = ms / Math.max(ms, this.baselineMs);
      this.baselineDb = (this.baselineDb ?? levelDbfs) + weight * (levelDbfs - (this.baselineDb ?? levelDbfs));
    }
    return condition;
  }
}

type Condition = 'on' | 'off' | 'between';

const SOUND_KINDS: readonly SoundKind[] = [
  ...(['dead_air', 'audio_lost', 'clipping', 'loudness_jump', 'speech_activity'] as const),
];

function beyond(value: number | null, on: number, off: number): Condition {
  if (value === null) return 'between';
  return value >= on ? 'on' : value < off ? 'off' : 'between';
}

function told(kind: SoundKind, turn: Turn | null): SoundEvent[] {
  if (turn === null) return [];
  const title = TITLES[kind];
  if ('opened' in turn) {
    return [{ kind, change: 'opened', startedStreamMs: turn.opened, endedStreamMs: null, detail: `${title}.` }];
  }
  const seconds = Math.round((turn.closed - turn.began) / 100) / 10;
  const detail = `${title}: over after ${seconds} s.`;
  return [{ kind, change: 'closed', startedStreamMs: turn.began, endedStreamMs: turn.closed, detail }];
}
