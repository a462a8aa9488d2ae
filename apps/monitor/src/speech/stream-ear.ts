import { LevelGate } from './level-gate.js';
import { FRAME_SAMPLES, FrameCutter, levelOf, type SoundPiece } from './pcm.js';
import { UtteranceCutter, type CutterOptions, type Utterance } from './utterance-cutter.js';

/** Tells how likely each frame holds speech; `VoiceDetector` of the inference room is one. */
export interface Voice {
  hear(stream: string, samples: Float32Array<ArrayBuffer>, fresh: boolean): Promise<Float32Array>;
  forget(stream: string): void;
}

/** How long the voice detector may take for a piece before the sound goes on without it, ms. */
const PATIENCE_MS = 10_000;

/** What is known of one frame of sound. */
export interface HeardFrame extends SoundPiece {
  levelDbfs: number;
  /** Probability of speech, 0 to 1; 0 where the level gate was shut; null when the voice detector is away. */
  speech: number | null;
}

/** What a piece of sound brought. */
export interface Heard {
  frames: HeardFrame[];
  utterances: Utterance[];
}

/** Listens to one stream: level gate, voice detector, utterances. Pieces in order, one at a time. */
export class StreamEar {
  /** Frames that the voice detector was spared. */
  gated = 0;
  /** Frames that the voice detector failed on; they count as silence. */
  unheard = 0;
  private readonly frames = new FrameCutter();
  private readonly gate = new LevelGate();
  private readonly cutter: UtteranceCutter;
  private fresh = true;
  /** The voice detector owes an answer for longer than is waited: it is not asked until it comes. */
  private overdue = false;

  constructor(
    private readonly streamId: string,
    private readonly voice: Voice,
    options?: CutterOptions,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.cutter = new UtteranceCutter(options);
  }

  /** Takes the next piece. Neither rejects nor waits long for a voice detector that fails: sound rules go on without. */
  async hear(piece: SoundPiece): Promise<Heard> {
    const frames: HeardFrame[] = this.frames
      .push(piece)
      .map((frame) => ({ ...frame, levelDbfs: levelOf(frame.samples), speech: 0 }));
    const loud: HeardFrame[] = [];
    for (const frame of frames) {
      const state = this.gate.pass(frame.levelDbfs);
      if (state === 'opened' && loud.length === 0) this.fresh = true;
      if (state !== 'shut') loud.push(frame);
    }
    this.gated += frames.length - loud.length;
    if (loud.length > 0) await this.listen(loud);
    const utterances = frames.flatMap((frame) => this.cutter.push(frame, frame.speech ?? 0));
    return { frames, utterances };
  }

  /** The stream has ended, or its sound has: ends the utterance under way and frees what is kept. */
  end(): Utterance[] {
    this.voice.forget(this.streamId);
    this.fresh = true;
    return this.cutter.flush();
  }

  private async listen(loud: readonly HeardFrame[]): Promise<void> {
    const samples = new Float32Array(loud.length * FRAME_SAMPLES);
    loud.forEach((frame, index) => {
      const from = index * FRAME_SAMPLES;
      for (const [at, sample] of frame.samples.entries()) samples[from + at] = sample / 32_768;
    });
    const probabilities = this.overdue ? null : await this.ask(samples);
    this.fresh = probabilities === null;
    if (probabilities === null) this.unheard += loud.length;
    for (const [index, frame] of loud.entries()) {
      frame.speech = probabilities === null ? null : (probabilities[index] ?? 0);
    }
  }

  /** Asks the voice detector. @returns null when it fails, or takes too long */
  private async ask(samples: Float32Array<ArrayBuffer>): Promise<Float32Array | null> {
    const answered = this.voice.hear(this.streamId, samples, this.fresh).catch(() => null);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), this.patienceMs)));
    const first = await Promise.race([answered, late]);
    clearTimeout(timer);
    if (first !== 'late') return first;
    this.overdue = true;
    void answered.then(() => (this.overdue = false));
    return null;
  }
}
