import { FRAME_MS, FRAME_SAMPLES, follows, type SoundPiece } from './pcm.js';

/** A stretch of speech, ready to be written down. */
export interface Utterance {
  /** Stream time of the first sample, lead-in included, ms. */
  startMs: number;
  /** Stream time after the last sample, ms. */
  endMs: number;
  /** 16 kHz, mono. */
  pcm: Int16Array;
  /** Mean probability of speech between the first and the last voiced frame, 0 to 1. */
  vadMean: number;
  /** Stream time of the first and after the last voiced frame, ms. */
  voiced: { startMs: number; endMs: number };
}

/** How probabilities become utterances; all durations in ms. */
export interface CutterOptions {
  /** Speech begins at this probability. */
  start: number;
  /** A frame below this is silence. */
  end: number;
  /** Shorter speech is a click. */
  minSpeechMs: number;
  /** So much silence ends an utterance. */
  endSilenceMs: number;
  /** Sound kept from before the first voiced frame: onsets are quiet. */
  preRollMs: number;
  /** Sound kept after the last voiced frame. */
  padMs: number;
  /** An utterance that grows beyond this is cut. */
  maxMs: number;
  /** A silence of at least so long is a place for that cut. */
  cutSilenceMs: number;
}

export const CUTTER_DEFAULTS: CutterOptions = {
  ...{ start: 0.5, end: 0.35, minSpeechMs: 250, endSilenceMs: 500 },
  ...{ preRollMs: 300, padMs: 200, maxMs: 15_000, cutSilenceMs: 98 },
};

interface Heard {
  samples: Int16Array;
  startMs: number;
  probability: number;
}

/**
 * Cuts a stream's frames into utterances by the probability of speech in each, with two thresholds as Silero's own
 * iterator has them. One stream, frames in order. Holds at most `maxMs` of sound.
 */
export class UtteranceCutter {
  /** Stretches of speech that were too short to be any. */
  tooShort = 0;
  /** Before speech the lead-in, afterwards the utterance so far. */
  private heard: Heard[] = [];
  private speaking = false;
  /** Index of the first voiced frame. */
  private firstVoiced = 0;
  /** Index after the last frame that was not silence. */
  private afterVoice = 0;

  constructor(private readonly options: CutterOptions = CUTTER_DEFAULTS) {}

  /** Takes the next frame; gives the utterances that it ends. A gap of stream time ends one too. */
  push(frame: SoundPiece, probability: number): Utterance[] {
    const last = this.heard.at(-1);
    const ended = last !== undefined && !follows(frame.startMs, last.startMs + FRAME_MS) ? this.flush() : [];
    this.heard.push({ ...frame, probability });
    return [...ended, ...(this.speaking ? this.goOn(probability) : this.lookForStart(probability))];
  }

  /** Ends what is under way: the stream is over, or nothing is known of what follows. */
  flush(): Utterance[] {
    const ended = this.speaking ? this.finish(this.heard.length) : [];
    this.heard = [];
    return ended;
  }

  private lookForStart(probability: number): Utterance[] {
    if (probability < this.options.start) {
      const most = Math.ceil(this.options.preRollMs / FRAME_MS);
      if (this.heard.length > most) this.heard.splice(0, this.heard.length - most);
      return [];
    }
    this.speaking = true;
    this.firstVoiced = this.heard.length - 1;
    this.afterVoice = this.heard.length;
    return [];
  }

  private goOn(probability: number): Utterance[] {
    const { end, endSilenceMs, padMs, maxMs } = this.options;
    if (probability >= end) this.afterVoice = this.heard.length;
    if ((this.heard.length - this.afterVoice) * FRAME_MS >= endSilenceMs) {
      return this.finish(Math.min(this.heard.length, this.afterVoice + Math.ceil(padMs / FRAME_MS)));
    }
    if ((this.heard.length + 1) * FRAME_MS <= maxMs) return [];
    return this.split();
  }

  /** Ends the utterance after `length` frames; what follows becomes the lead-in of the next. */
  private finish(length: number): Utterance[] {
    const { minSpeechMs } = this.options;
    const said = this.heard.slice(0, length);
    const voiced = this.heard.slice(this.firstVoiced, this.afterVoice);
    this.heard = this.heard.slice(length);
    this.speaking = false;
    const utterance = assemble(said, voiced);
    if (utterance !== null && voiced.length * FRAME_MS >= minSpeechMs) return [utterance];
    this.tooShort += 1;
    return [];
  }

  /** Cuts an over-long utterance in the middle of its last silence, or where it stands when there is none. */
  private split(): Utterance[] {
    const at = this.lastSilence() ?? this.heard.length;
    const said = this.heard.slice(0, at);
    const voiced = said.slice(this.firstVoiced, Math.min(at, this.afterVoice));
    this.heard = this.heard.slice(at);
    this.firstVoiced = this.heard.findIndex(({ probability }) => probability >= this.options.start);
    this.afterVoice = this.heard.findLastIndex(({ probability }) => probability >= this.options.end) + 1;
    // After a cut in the thick of it speech goes on although no frame of it is here yet.
    this.speaking = this.firstVoiced >= 0 || this.heard.length === 0;
    this.firstVoiced = Math.max(0, this.firstVoiced);
    const utterance = assemble(said, voiced);
    return utterance === null ? [] : [utterance];
  }

  private lastSilence(): number | null {
    const wanted = Math.ceil(this.options.cutSilenceMs / FRAME_MS);
    let run = 0;
    for (let index = this.heard.length - 1; index > this.firstVoiced; index -= 1) {
      const heard = this.heard[index];
      run = heard !== undefined && heard.probability < this.options.end ? run + 1 : 0;
      const ended = (this.heard[index - 1]?.probability ?? 1) >= this.options.end;
      if (run >= wanted && ended) return index + Math.floor(run / 2);
    }
    return null;
  }
}

function assemble(said: readonly Heard[], voiced: readonly Heard[]): Utterance | null {
  const [first, last, firstVoiced, lastVoiced] = [said[0], said.at(-1), voiced[0], voiced.at(-1)];
  if (first === undefined || last === undefined || firstVoiced === undefined || lastVoiced === undefined) return null;
  const pcm = new Int16Array(said.length * FRAME_SAMPLES);
  said.forEach(({ samples }, index) => pcm.set(samples, index * FRAME_SAMPLES));
  return {
    startMs: first.startMs,
    endMs: last.startMs + FRAME_MS,
    pcm,
    vadMean: voiced.reduce((sum, { probability }) => sum + probability, 0) / voiced.length,
    voiced: { startMs: firstVoiced.startMs, endMs: lastVoiced.startMs + FRAME_MS },
  };
}
