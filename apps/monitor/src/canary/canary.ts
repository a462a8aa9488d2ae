import { messageOf } from '#libs/errors/app-error.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { CanaryOrigin } from './canary-origin.js';
import { CanaryRun, KEYWORD, type CanaryServices } from './canary-run.js';
import { makePlantedClip, type PlantedClip } from './planted-clip.js';

/** The first run comes so long after the start at the latest, ms. */
const FIRST_AFTER_MS = 30_000;

/**
 * The canary of this monitor: from time to time a stream of its own in which something is planted, by the way that
 * people's streams take. Whether it comes out is for the api to say.
 */
export class Canary {
  private readonly stopping = new AbortController();
  private readonly keywords: KeywordWatch;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private clip: PlantedClip | null = null;

  /** @param everyMs from the beginning of a run to that of the next; 0 for never */
  constructor(
    private readonly services: Omit<CanaryServices, 'keywords'>,
    private readonly everyMs: number,
  ) {
    this.keywords = new KeywordWatch(services.logger);
    this.keywords.update([KEYWORD]);
  }

  /** The first run comes soon, at a random moment: monitors that start together do not run together. */
  start(): void {
    if (this.everyMs > 0) this.schedule(Math.min(this.everyMs, FIRST_AFTER_MS) * this.services.random());
  }

  /** Ends the run at hand and says that none is to be expected. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
    await this.keywords.stop();
    const { spool, monitorId, now } = this.services;
    if (this.everyMs > 0) await spool.append({ type: 'canary.left', monitorId, at: now() });
  }

  private schedule(ms: number): void {
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => {
      const began = this.services.now();
      this.running = this.run().finally(() => this.schedule(Math.max(0, began + this.everyMs - this.services.now())));
    }, ms);
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    const { services, keywords, stopping } = this;
    const run = new CanaryRun({ ...services, keywords });
    try {
      await keywords.settled();
      await this.watch(run);
    } catch (error) {
      services.logger.warn({ error: messageOf(error) }, 'a run of the canary failed');
      if (stopping.signal.aborted) return;
      await run.failed(messageOf(error)).catch(() => undefined);
    }
  }

  private async watch(run: CanaryRun): Promise<void> {
    const { services, stopping } = this;
    const wantsVoice = services.speech.state().state === 'ready';
    // Made once, and once more when the speech model is there.
    if (this.clip === null || (wantsVoice && !this.clip.triedVoice)) {
      this.clip = await makePlantedClip(services.ffmpegPath, wantsVoice);
    }
    const origin = await CanaryOrigin.start(this.clip, services.now);
    try {
      await run.run(origin, this.clip.speaks, stopping.signal);
    } finally {
      await origin.stop();
    }
  }
}
