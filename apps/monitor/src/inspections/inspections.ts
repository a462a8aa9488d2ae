import type { HintSubscriber } from '#libs/bus/channels.js';
import type { InspectionBoard } from '#libs/bus/inspections.js';
import { InspectionRequest, type InspectionAnswer } from '#libs/contracts/inspections.js';
import { CHANNELS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import { frameOf } from './picture-frame.js';

/** Requests that are known and not yet begun, at most; what comes beyond is left to other monitors. */
const MOST_WAITING = 16;

/** Counters since the start. */
export interface InspectionStats {
  inspected: number;
  failed: number;
  /** Taken by another monitor, or given up by whoever asked. */
  missed: number;
  /** Left to others because too many waited. */
  passed: number;
}

/**
 * Looks at single pictures on demand, one at a time and only while no frame of a stream waits for inference. Of several
 * monitors the one that takes the picture first answers.
 */
export class Inspections {
  readonly stats: InspectionStats = { inspected: 0, failed: 0, missed: 0, passed: 0 };
  private readonly waiting: { request: InspectionRequest; until: number }[] = [];
  private readonly stopping = new AbortController();
  private work: Promise<void> | null = null;

  constructor(
    private readonly detector: VideoDetector,
    private readonly board: InspectionBoard,
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {}

  async start(hints: Pick<HintSubscriber, 'on'>): Promise<void> {
    await hints.on(CHANNELS.inspections, InspectionRequest, (request) => this.note(request));
  }

  /** What is under way is broken off; whoever asked hears nothing and tries again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.waiting.length = 0;
    await this.work;
  }

  private note(request: InspectionRequest): void {
    const { descriptor } = this.detector;
    if (this.stopping.signal.aborted || this.detector.state().state !== 'ready') return;
    if (request.detector !== null && request.detector !== descriptor.id) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.stats.passed += 1;
      return;
    }
    this.waiting.push({ request, until: this.now() + request.patienceMs });
    this.work ??= this.workOff().finally(() => (this.work = null));
  }

  private async workOff(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      try {
        await this.answer(next.request, next.until - this.now());
      } catch (error) {
        // Redis is away: whoever asked hears nothing.
        this.stats.missed += 1;
        this.logger.warn({ error: messageOf(error) }, 'a picture was not looked at');
      }
    }
  }

  private async answer({ id, minConfidence }: InspectionRequest, leftMs: number): Promise<void> {
    const picture = leftMs <= 0 ? null : await this.board.take(id);
    if (picture === null) {
      this.stats.missed += 1;
      return;
    }
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(leftMs)]);
    const answer = await this.inspect(picture, minConfidence, signal).then(
      (found): InspectionAnswer => ({ v: 1, id, outcome: 'inspected', ...found }),
      (error: unknown): InspectionAnswer => ({ v: 1, id, outcome: 'failed', detail: messageOf(error) }),
    );
    this.stats[answer.outcome] += 1;
    await this.board.answer(answer);
  }

  private async inspect(
    picture: Buffer,
    minConfidence: number,
    signal: AbortSignal,
  ): Promise<Pick<Extract<InspectionAnswer, { outcome: 'inspected' }>, 'detector' | 'model' | 'objects'>> {
    const { detector } = this;
    const { frameFormat, descriptor } = detector;
    if (frameFormat === null) throw new Error(detector.state().detail);
    const objects = await detector.inspect(await frameOf(picture, frameFormat), minConfidence, signal, true);
    return { detector: descriptor.id, model: detector.state().model ?? '', objects };
  }
}
