import { setTimeout as wait } from 'node:timers/promises';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { AsrEngine, AsrState } from '../detectors/whisper/asr.port.js';
import { Transcriber, type TranscriberFigures, type TranscriptSegment } from './transcriber.js';
import type { QueueLimits } from './utterance-queue.js';
import type { Utterance } from './utterance-cutter.js';

/** How often it is looked whether a stream's last words were written down, ms. */
const POLL_MS = 10;

/** One stream's place at the desk. */
export interface SpeechSeat {
  offer(utterance: Utterance): void;
  /** Speech that was given up because the engine was behind, ms. */
  droppedMs(): number;
  /** Resolves once all that was offered is written down or given up, or after `mostMs`. */
  settled(mostMs: number): Promise<void>;
  /** What waits is thrown away, and nothing more is handed on. */
  leave(): void;
}

/** The one speech engine of the process with the streams that share it. */
export class SpeechDesk {
  private readonly transcriber: Transcriber;
  private readonly readers = new Map<string, (segment: TranscriptSegment) => void>();

  /** @param engine is ended with the desk */
  constructor(
    private readonly engine: AsrEngine,
    limits?: QueueLimits,
  ) {
    this.transcriber = new Transcriber({
      engine,
      onSegment: (segment) => this.readers.get(segment.streamId)?.(segment),
      ...(limits === undefined ? {} : { limits }),
    });
  }

  get descriptor(): AdapterDescriptor {
    return this.engine.descriptor;
  }

  state(): AsrState {
    return this.engine.state();
  }

  figures(): TranscriberFigures {
    return this.transcriber.figures();
  }

  /** Begins to load the model, and to work; does not wait for it. */
  start(): void {
    void this.engine.start();
    this.transcriber.start();
  }

  async stop(): Promise<void> {
    await this.transcriber.stop();
    await this.engine.stop();
  }

  /** Takes a place for a stream; whoever had it before gets nothing more. */
  seat(streamId: string, onSegment: (segment: TranscriptSegment) => void): SpeechSeat {
    this.readers.set(streamId, onSegment);
    const { transcriber, readers } = this;
    const isMine = (): boolean => readers.get(streamId) === onSegment;
    return {
      offer: (utterance) => {
        if (isMine()) transcriber.offer(streamId, utterance);
      },
      droppedMs: () => transcriber.coverage(streamId).droppedMs,
      settled: async (mostMs) => {
        const end = performance.now() + mostMs;
        while (isMine() && transcriber.isBusyWith(streamId) && performance.now() < end) await wait(POLL_MS);
      },
      leave: () => {
        if (!isMine()) return;
        readers.delete(streamId);
        transcriber.forget(streamId);
      },
    };
  }
}
