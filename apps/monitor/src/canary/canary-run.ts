import { randomUUID } from 'node:crypto';
import { CANARY_RUN_MS, type CanaryObserved } from '#libs/contracts/canary.js';
import type { CaptureJob, KeywordRule, ObjectRule, SignalRule } from '#libs/contracts/captures.js';
import { CoveragePart } from '#libs/contracts/coverage.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import type { Signal } from '#libs/contracts/primitives.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import { systemClock } from '../capture/clock.js';
import { CHAT_LANE_LIMITS } from '../chat/chat-source.port.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from '../chat/registry.js';
import { ChatSupervisor } from '../chat/supervisor.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import type { EgressProxy } from '../egress/egress-proxy.js';
import type { Spool } from '../outbox/spool.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import { EvidenceDesk } from '../sessions/evidence-desk.js';
import { StreamSession } from '../sessions/stream-session.js';
import type { SpeechDesk } from '../speech/speech-desk.js';
import type { Voice } from '../speech/stream-ear.js';
import type { CanaryOrigin } from './canary-origin.js';
import { PLANTED_LINE, ROOM } from './canary-room.js';
import { CanarySink } from './canary-sink.js';
import { CLIP, PLANTED_LABEL } from './planted-clip.js';

/** As the contract has it; less for tests. */
const PATIENCE_MS = CANARY_RUN_MS;
/** The loud tone is told as this. */
const PLANTED_SIGNAL: Signal = 'loudness_jump';
/** As the default of `SAMPLE_INTERVAL_MS`: the clip is made for it. */
const SAMPLE_INTERVAL_MS = 1_000;
const COMMON = { version: 1, severity: 'info', cooldownMs: 0 } as const;

const RULE: ObjectRule = {
  ...{ ...COMMON, id: '6f1f0f3e-3c1d-4c8e-9b57-0d3b7a5c9e01', label: PLANTED_LABEL, threshold: 0.3 },
};
/** The phrase that is looked for in the chat. */
export const KEYWORD: KeywordRule = {
  ...{ ...COMMON, id: '6f1f0f3e-3c1d-4c8e-9b57-0d3b7a5c9e02', label: 'canary', pattern: PLANTED_LINE },
  ...{ kind: 'literal', allow: [], fuzzy: false, phonetic: false, appliesTo: 'chat', language: null },
};
const SIGNAL: SignalRule = { signal: PLANTED_SIGNAL, severity: 'info', cooldownMs: 0 };

/** What a run works with: what people's streams work with, and nothing beside. */
export interface CanaryServices {
  monitorId: string;
  egress: EgressProxy;
  detector: VideoDetector;
  voice: Voice;
  speech: SpeechDesk;
  /** With {@link KEYWORD} alone. */
  keywords: KeywordWatch;
  spool: Pick<Spool, 'append' | 'pressure' | 'frameShed'>;
  evidence: Pick<EvidenceStore, 'put'>;
  ffmpegPath: string;
  now: () => number;
  random: () => number;
  logger: Logger;
}

/**
 * One run: watches a source of the monitor's own by a session as any other has, and tells each part once, as a fact.
 * It holds no capture, has no share in the inference budget, gives way to every frame of a stream, and counts nowhere.
 */
export class CanaryRun {
  private readonly runId = randomUUID();
  private readonly startedAt: number;
  /** Parts that are still to be told. */
  private readonly open = new Set(CoveragePart.options);
  private complete: () => void = () => undefined;

  constructor(
    private readonly services: CanaryServices,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.startedAt = services.now();
  }

  /**
   * Runs to the end, which is when all parts were told.
   * @param speaks whether somebody speaks in the clip
   * @throws when a fact cannot be kept
   */
  async run(origin: CanaryOrigin, speaks: boolean, signal: AbortSignal): Promise<void> {
    for (const [part, reason] of this.unproven(speaks)) await this.tell(part, 'unproven', { reason });
    const { services } = this;
    const desk = new EvidenceDesk(services.spool, services.evidence, services.logger);
    const name = `canary/${services.monitorId.replace(/[^\w-]/g, '_')}`;
    const sink = new CanarySink(name, desk, (part) =>
      this.tell(part, 'found', { airedAt: this.airedAt(origin, part) }),
    );
    const only = origin.place;
    const lane = await services.egress.open(this.runId, {}, { only });
    const chats = new ChatSupervisor({
      sources: registerChatSources({ ...PUBLIC_CHAT_SERVERS, twitchIrc: origin.chatUrl }),
      ...{ clock: systemClock, random: services.random, logger: services.logger },
    });
    const session = new StreamSession(this.job(origin), 1, {
      ...services,
      ...{ platform: new UrlPlatform(false), lane, sink, detector: sparing(services.detector) },
      ...{ rules: () => [RULE], sampleIntervalMs: SAMPLE_INTERVAL_MS },
      senses: {
        ...{ hearing: services, keywords: services.keywords, sink },
        reading: { chats, pushes: null, openLane: () => services.egress.open(this.runId, CHAT_LANE_LIMITS, { only }) },
        signalRule: (wanted) => (wanted === PLANTED_SIGNAL ? SIGNAL : null),
      },
    });
    const over = new AbortController();
    const done = new Promise<void>((resolve) => (this.complete = resolve));
    if (this.open.size === 0) this.complete();
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.patienceMs);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const running = session.run(AbortSignal.any([over.signal, signal]));
    try {
      await Promise.race([done, ended, running.then(() => ended)]);
      const report = session.report();
      // Cut short by the end of the process, it says nothing of what it might have found.
      if (signal.aborted) return;
      for (const part of [...this.open]) {
        await this.tell(part, 'missed', { reason: sink.fault ?? reasonOf(report, part, this.patienceMs) });
      }
    } finally {
      clearTimeout(timer);
      over.abort();
      await running;
      await chats.stop();
      await lane.close();
    }
  }

  /** Tells all that is still open, when there was not even a source. @throws when a fact cannot be kept */
  async failed(reason: string): Promise<void> {
    for (const part of [...this.open]) await this.tell(part, 'missed', { reason });
  }

  private async tell(
    part: CoveragePart,
    outcome: CanaryObserved['outcome'],
    { reason = '', airedAt = null }: { reason?: string; airedAt?: number | null },
  ): Promise<void> {
    if (!this.open.delete(part)) return;
    const { runId, startedAt, services } = this;
    const foundAt = outcome === 'found' ? services.now() : null;
    await services.spool.append({
      type: 'canary.observed',
      ...{ runId, monitorId: services.monitorId, part, outcome, reason: reason.slice(0, 500) },
      ...{ startedAt, airedAt, foundAt },
    });
    if (this.open.size === 0) this.complete();
  }

  /** What cannot be tried here, and why. */
  private unproven(speaks: boolean): [CoveragePart, string][] {
    const { detector, speech } = this.services;
    const [sees, hears] = [detector.state(), speech.state()];
    const reasons: [CoveragePart, string][] = [];
    if (sees.model === null) reasons.push(['video', sees.detail]);
    else if (!sees.labels.includes(PLANTED_LABEL)) {
      reasons.push(['video', `The model ${sees.model} does not know what is planted, a ${PLANTED_LABEL}.`]);
    }
    if (hears.state !== 'ready') reasons.push(['speech', hears.detail]);
    else if (!speaks) reasons.push(['speech', 'This ffmpeg has no voice (flite) to speak with.']);
    return reasons;
  }

  private airedAt(origin: CanaryOrigin, part: CoveragePart): number | null {
    if (part === 'chat') return origin.room.saidAt;
    return origin.airedAt(part === 'speech' ? CLIP.saidAtMs : CLIP.plantedAtMs);
  }

  private job({ streamUrl }: CanaryOrigin): CaptureJob {
    return {
      ...{ v: 1, streamId: this.runId, generation: 0, name: 'canary', platform: 'url', url: streamUrl, priority: 10 },
      ...{ parts: ['video', 'audio', 'chat'], language: 'en' },
      chat: { platform: 'twitch', channel: ROOM, options: {} },
    };
  }
}

/** The same detector, whose frames give way to those of every stream. */
function sparing(detector: VideoDetector): VideoDetector {
  return {
    descriptor: detector.descriptor,
    get frameFormat() {
      return detector.frameFormat;
    },
    state: () => detector.state(),
    inspect: (frame, least, signal) => detector.inspect(frame, least, signal, true),
    // Whoever started it goes on using it.
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

function reasonOf({ parts, detail }: SessionReport, part: CoveragePart, withinMs: number): string {
  const { state, detail: own } = parts[part];
  const said = own === '' ? detail : own;
  return `It did not come out within ${withinMs / 1_000} s; the part was ${state}${said === '' ? '.' : `: ${said}`}`;
}
