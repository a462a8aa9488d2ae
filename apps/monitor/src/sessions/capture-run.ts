import { Capture, type CaptureOptions, type CaptureStats } from '../capture/capture.js';
import type { CapturedFrame } from '../capture/frame.js';
import { LatestFrame } from '../samplers/latest-frame.js';
import type { SoundWatch } from './sound-watch.js';
import type { FrameTime, StreamClock } from './stream-clock.js';

/** A frame with its place in the stream. */
export interface TimedFrame extends FrameTime {
  frame: CapturedFrame;
}

/** What of a sound watch a run needs. */
export type RunSound = Pick<SoundWatch, 'listen' | 'sync' | 'caughtUp' | 'lost'>;

/** One run of ffmpeg: gives every frame its time, keeps the sound in step with the frames, then lets frames drop. */
export class CaptureRun {
  private readonly capture: Capture;
  private readonly paced: AsyncIterable<TimedFrame>;
  private readonly latest: LatestFrame<TimedFrame>;

  /**
   * @param sound null when the sound of this run is not listened to
   * @param signal ends the run quietly
   */
  constructor(
    options: CaptureOptions,
    private readonly clock: StreamClock,
    private readonly sound: RunSound | null,
    private readonly signal: AbortSignal,
  ) {
    this.capture = new Capture({ ...options, sound: sound !== null });
    const timed = { [Symbol.asyncIterator]: () => this.timed() };
    this.latest = new LatestFrame(timed);
    this.paced = options.playback.pace === 'file' ? timed : this.latest;
  }

  get stats(): Readonly<CaptureStats> {
    return this.capture.stats;
  }

  /** Frames that were replaced by a newer one before they were read. */
  get dropped(): number {
    return this.latest.dropped;
  }

  /**
   * Every frame of a file; of a live stream the newest when one is asked for. May be read once.
   * @throws CaptureError as `Capture.frames`
   */
  frames(): AsyncIterable<TimedFrame> {
    return this.paced;
  }

  /** Hands back a frame that nobody looks at any more. */
  done({ frame }: TimedFrame): void {
    this.capture.recycle(frame);
  }

  private async *timed(): AsyncGenerator<TimedFrame, void, void> {
    const { capture, clock, sound } = this;
    let listening: Promise<void> | null = null;
    clock.restart();
    try {
      for await (const frame of capture.frames(this.signal)) {
        const time = clock.at(frame.ptsMs, frame.receivedAt);
        if (sound !== null) {
          if (listening === null) listening = sound.listen(capture.pcm());
          else await sound.caughtUp();
          sound.sync(frame.ptsMs, time.streamTimeMs);
        }
        yield { frame, ...time };
      }
    } finally {
      await listening;
      sound?.lost(capture.stats.soundDropped);
    }
  }
}
