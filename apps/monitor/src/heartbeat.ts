import { messageOf } from '#libs/errors/app-error.js';
import type { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import type { Logger } from '#libs/observability/logger.js';
import type { VideoDetector } from './detectors/detector.port.js';
import type { KeywordWatch } from './detectors/phrases/keyword-watch.js';
import type { SpeechDesk } from './speech/speech-desk.js';

/** Time between two heartbeats, ms. */
const INTERVAL_MS = 2_000;
/** A monitor that has not been heard of for so long is gone, ms. */
const TIME_TO_LIVE_MS = 10_000;

/** Keeps this monitor's entry in the directory alive. */
export class Heartbeat {
  private timer: NodeJS.Timeout | null = null;
  private beating: Promise<void> = Promise.resolve();

  constructor(
    private readonly directory: MonitorDirectory,
    private readonly compose: () => MonitorHeartbeat,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await this.beat();
    this.timer = setInterval(() => {
      this.beating = this.beat();
    }, INTERVAL_MS);
  }

  /** Stops and takes the entry away, so that everybody knows at once. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.beating;
    await this.directory.withdraw(this.compose().monitorId).catch(() => undefined);
  }

  private async beat(): Promise<void> {
    try {
      await this.directory.announce(this.compose(), TIME_TO_LIVE_MS);
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'a heartbeat was not sent');
    }
  }
}

const SOUND_LABELS = ['dead_air', 'audio_lost', 'clipping', 'loudness_jump', 'speech_activity'];

/** What each detector of this process says of itself. @param voiceFault why the voice model does not run, if so */
export function detectorReports(parts: {
  detector: VideoDetector;
  speech: SpeechDesk;
  keywords: KeywordWatch;
  voiceFault: string | null;
}): MonitorHeartbeat['detectors'] {
  const { detector, speech, keywords, voiceFault } = parts;
  const { state, detail, model, labels } = detector.state();
  return [
    { ...detector.descriptor, state, detail, model, labels: [...labels] },
    {
      ...{ id: 'sound', title: 'Sound rules', options: {}, model: null, labels: SOUND_LABELS },
      state: voiceFault === null ? 'ready' : 'degraded',
      detail: voiceFault ?? 'Listens for dead air, lost sound, clipping, jumps of loudness and speech.',
    },
    { ...keywords.descriptor, ...keywords.state(), model: null, labels: [] },
    { ...speech.descriptor, ...speech.state(), labels: [] },
  ];
}
