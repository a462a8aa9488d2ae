import type { StopCause } from '#libs/bus/capture-worker.js';
import type { SessionMemories } from '#libs/bus/session-memories.js';
import type { SessionNumbers } from '#libs/bus/session-numbers.js';
import type { CaptureJob } from '#libs/contracts/captures.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import { CHAT_LANE_LIMITS } from '../chat/chat-source.port.js';
import type { ChatSupervisor } from '../chat/supervisor.js';
import { CoverageDesk } from '../coverage/coverage-desk.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { ChatMood } from '../detectors/sentiment/chat-mood.js';
import type { EgressProxy } from '../egress/egress-proxy.js';
import type { InferenceBudget } from '../inference/inference-budget.js';
import type { Spool } from '../outbox/spool.js';
import type { OriginPace } from '../platforms/origin-pace.js';
import type { Platform } from '../platforms/platform.port.js';
import type { SpeechDesk } from '../speech/speech-desk.js';
import type { Voice } from '../speech/stream-ear.js';
import type { ChatWatchParts } from './chat-watch.js';
import { FactSink } from './fact-sink.js';
import type { RuleWatch } from './rule-watch.js';
import type { SensesParts } from './session-senses.js';
import { StreamSession } from './stream-session.js';

/** What the sessions of a process share. */
export interface CaptureServices {
  monitorId: string;
  platforms: ReadonlyMap<string, Platform>;
  egress: EgressProxy;
  detector: VideoDetector;
  budget: InferenceBudget;
  pace: OriginPace;
  voice: Voice;
  speech: SpeechDesk;
  keywords: KeywordWatch;
  chats: ChatSupervisor;
  pushes: ChatWatchParts['pushes'];
  rules: RuleWatch;
  spool: Spool;
  evidence: EvidenceStore;
  numbers: SessionNumbers;
  memories: SessionMemories;
  /** Told when a session sees its first picture. */
  onSeen: (streamId: string) => void;
  ffmpegPath: string;
  sampleIntervalMs: number;
  /** How often it is told what a session that goes on as it does has watched, ms. */
  coverageReportMs: number;
  now: () => number;
  random: () => number;
  logger: Logger;
}

/** The captures that run in this process. */
export class Captures {
  private readonly sessions = new Map<string, StreamSession>();
  private readonly coverage: CoverageDesk;

  constructor(private readonly services: CaptureServices) {
    const { spool, coverageReportMs: reportMs, now, logger } = services;
    this.coverage = new CoverageDesk({ append: (fact) => spool.append(fact), reportMs, now, logger });
  }

  /** Watches one stream until the signal aborts. The processor of a capture job. */
  async run(job: CaptureJob, signal: AbortSignal): Promise<void> {
    const { services } = this;
    const session = await services.numbers.next(job.streamId);
    const detector = services.detector.descriptor.id;
    const model = (): string => services.detector.state().model ?? 'none';
    const origin = { job, session, monitorId: services.monitorId, detector, model };
    const sink = new FactSink(origin, services.spool, services.evidence, services.logger);
    const platform = services.platforms.get(job.platform) ?? null;
    const needsPlatform = job.parts.includes('video') || job.parts.includes('audio');
    if (platform === null && needsPlatform) {
      const detail = `No monitor here knows the platform "${job.platform}".`;
      sink.status({ status: 'error', reason: 'unsupported_scheme', detail, at: services.now() });
      const endCoverage = this.coverage.follow(origin, () => null);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await endCoverage();
      return;
    }
    const lane = await services.egress.open(job.streamId, {}, { platform: job.platform });
    const running = new StreamSession(job, session, {
      ...services,
      rules: () => services.rules.objects,
      zones: () => services.rules.zonesOf(job.streamId),
      senses: this.senses(job, sink),
      memory: () => services.memories.take(job.streamId),
      onSeen: () => services.onSeen(job.streamId),
      ...{ platform, lane, sink },
    });
    this.sessions.set(job.streamId, running);
    const endCoverage = this.coverage.follow(origin, () => running.report());
    const leave = async (): Promise<void> => {
      if (isHandedOver(signal)) await services.memories.leave(job.streamId, running.memory);
    };
    // The next session may need it before this one has wholly ended.
    signal.addEventListener('abort', () => void leave(), { once: true });
    try {
      await running.run(signal);
    } finally {
      await leave();
      await endCoverage();
      if (this.sessions.get(job.streamId) === running) this.sessions.delete(job.streamId);
      await lane.close();
      if (isHandedOver(signal)) {
        const detail = 'Another monitor takes over.';
        sink.status({ status: 'pending', reason: 'restarting', detail, at: services.now() });
      } else if (signal.reason === 'stopped') {
        sink.status({ status: 'stopped', reason: null, detail: '', at: services.now() });
      }
    }
  }

  /** How many streams are watched. */
  get size(): number {
    return this.sessions.size;
  }

  /** Process ids of the ffmpegs that run. */
  get children(): number[] {
    return [...this.sessions.values()].flatMap(({ ffmpegPid }) => ffmpegPid ?? []);
  }

  /** Live figures of every session. */
  reports(): SessionReport[] {
    return [...this.sessions.values()].map((session) => session.report());
  }

  private senses({ streamId }: CaptureJob, sink: FactSink): SensesParts {
    const { voice, speech, chats, pushes, keywords, rules, egress } = this.services;
    return {
      ...{ keywords, sink, hearing: { voice, speech } },
      reading: {
        ...{ chats, pushes, mood: () => new ChatMood() },
        openLane: (platform) => egress.open(streamId, CHAT_LANE_LIMITS, { platform }),
      },
      signalRule: (signal) => rules.signalRule(signal),
    };
  }
}

function isHandedOver({ reason }: AbortSignal): boolean {
  return reason === ('shutdown' satisfies StopCause) || reason === ('rebalanced' satisfies StopCause);
}
