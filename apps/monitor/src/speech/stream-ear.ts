import { LevelGate } from './level-gate.js';
import { FRAME_SAMPLES, FrameCutter, levelOf, type SoundPiece } from './pcm.js';
import { UtteranceCutter, type CutterOptions, type Utterance } from './utterance-cutter.js';

/** Tells how likely each frame holds speech; `VoiceDetector` of the inference room is one. */
export interface Voice {
  hear(stream: string, samples: Float32Array<ArrayBuffer>, fresh: boolean): Promise<Float32Array>;
  forget(stream: string): void;
}

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

  constructor(
    private readonly streamId: string,
    private readonly voice: Voice,
    options?: CutterOptions,
  ) {
    this.cutter = new UtteranceCutter(options);
  }

  /** Takes the next piece. Never rejects for a voice detector that fails: sound rules go on without it. */
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
    try {
      const probabilities = await this.voice.hear(this.streamId, samples, this.fresh);
      this.fresh = false;
      for (const [index, frame] of loud.entries()) frame.speech = probabilities[index] ?? 0;
    } catch {
      this.fresh = true;
      this.unheard += loud.length;
      for (const frame of loud) frame.speech = null;
    }
  }
}
