import { availableParallelism, hostname } from 'node:os';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ChatRelayReader } from '#libs/bus/chat-relay.js';
import { CaptureWorker } from '#libs/bus/capture-worker.js';
import { HintPublisher, HintSubscriber } from '#libs/bus/channels.js';
import { FactPublisher } from '#libs/bus/fact-stream.js';
import { InspectionBoard } from '#libs/bus/inspections.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { RuleBoard } from '#libs/bus/rule-board.js';
import { SessionMemories } from '#libs/bus/session-memories.js';
import { SessionNumbers } from '#libs/bus/session-numbers.js';
import { WatermarkBoard } from '#libs/bus/watermarks.js';
import { type monitorSettings } from '#libs/config/shared.settings.js';
import { list, type Values } from '#libs/config/settings.js';
import { CaptureCommand, CaptureSeen } from '#libs/contracts/captures.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { CHANNELS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import type { Logger } from '#libs/observability/logger.js';
import { startTracing, stopTracing } from '#libs/observability/tracing.js';
import { Claims } from './capacity/claims.js';
import { containerLimits } from './capacity/container-limits.js';
import { LoadMeter } from './capacity/load-meter.js';
import { Canary } from './canary/canary.js';
import { systemClock } from './capture/clock.js';
import { findFfmpeg } from './capture/ffmpeg-binary.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from './chat/registry.js';
import { ChatSupervisor } from './chat/supervisor.js';
import { KeywordWatch } from './detectors/phrases/keyword-watch.js';
import { createVideoDetector } from './detectors/registry.js';
import { createAsrEngine } from './detectors/whisper/create-engine.js';
import { SpeechWay } from './detectors/whisper/speech-way.js';
import { EgressProxy } from './egress/egress-proxy.js';
import type { EgressStats } from './egress/lane-budget.js';
import { loadProxyPlan } from './egress/proxy-list.js';
import { detectorReports, Heartbeat } from './heartbeat.js';
import { InferenceBudget } from './inference/inference-budget.js';
import { VoiceDetector } from './inference/voice-detector.js';
import type { WorkerPoolStats } from './inference/worker-pool.js';
import { Inspections } from './inspections/inspections.js';
import { MonitorMetrics } from './metrics/monitor-metrics.js';
import { Shipper } from './outbox/shipper.js';
import { Spool } from './outbox/spool.js';
import { OriginPace } from './platforms/origin-pace.js';
import { registerPlatforms } from './platforms/registry.js';
import { Captures } from './sessions/captures.js';
import { RuleWatch } from './sessions/rule-watch.js';
import { SpeechDesk } from './speech/speech-desk.js';

/** Largest weights that are downloaded, bytes, and how long that may take, ms. */
const [LARGEST_MODEL, MODEL_TIMEOUT_MS] = [256 * 2 ** 20, 120_000];
/** Version told in heartbeats. */
const VERSION = '0.1.0';

/** Everything the monitor is made of, started in order and stopped in reverse. */
@Injectable()
export class MonitorRuntime implements OnApplicationShutdown {
  /** Whether models are warm and captures are taken. */
  ready = false;
  /** What Prometheus is told, and who may ask. */
  readonly metrics: MonitorMetrics;
  readonly metricsToken: string | undefined;
  readonly production: boolean;
  private inference: () => WorkerPoolStats | null = () => null;
  /** Ends what was started, last first. */
  private readonly endings: (() => Promise<unknown>)[] = [];
  private speechWay: SpeechWay | null = null;
  /** What this monitor says of itself right now. */
  heartbeat: () => MonitorHeartbeat = () => {
    throw new Error('The monitor has not started yet.');
  };

  constructor(
    private readonly settings: Values<typeof monitorSettings>,
    private readonly logger: Logger,
  ) {
    this.metricsToken = settings.METRICS_TOKEN;
    this.production = settings.NODE_ENV === 'production';
    this.metrics = new MonitorMetrics({
      isReady: () => this.ready,
      heartbeat: () => this.heartbeat(),
      inference: () => this.inference(),
    });
  }

  /** @throws AppError when something it cannot do without is missing; the message says what to do. */
  async start(): Promise<void> {
    const { settings, logger } = this;
    this.own(await startTracing('monitor', settings, logger), stopTracing);
    const ffmpegPath = await findFfmpeg(settings.FFMPEG_PATH);
    const evidence = createEvidenceStore(settings.EVIDENCE_URL);
    const spool = this.own(
      await Spool.open({ directory: settings.SPOOL_DIR, maxBytes: settings.SPOOL_MAX_MB * 1024 * 1024 }),
      (it) => it.close(),
    );
    const proxies = await loadProxyPlan(settings);
    const allow = list.parse(settings.EGRESS_ALLOW);
    const egress = this.own(await EgressProxy.start({ allow, proxies }), (it) => it.stop());
    const weights = this.own(await egress.open('models'), (it) => it.close());
    const cores = Math.min(availableParallelism(), (await containerLimits()).cores ?? Infinity);
    const detector = createVideoDetector(settings.VIDEO_DETECTOR, {
      model: settings.MODEL,
      modelsDir: settings.MODELS_DIR,
      allowDownload: settings.MODEL_DOWNLOAD,
      threads: settings.INFERENCE_THREADS ?? Math.max(1, Math.floor(cores) - 1),
      fetch: async (url, { signal }) => {
        const limits = { maxBytes: LARGEST_MODEL, timeoutMs: MODEL_TIMEOUT_MS, signal };
        const { status, body } = await weights.fetch(url, limits);
        return new Response(Uint8Array.from(body), { status });
      },
    });
    await this.own(detector, (it) => it.stop()).start();
    this.inference = () => detector.stats ?? null;

    const speech = await this.startSpeech();
    const voice = this.own(new VoiceDetector(), (it) => it.stop());
    let voiceFault: string | null = null;
    voice.start().catch((error: unknown) => (voiceFault = messageOf(error)));
    const keywords = this.own(new KeywordWatch(logger), (it) => it.stop());
    const chats = this.own(
      new ChatSupervisor({
        sources: registerChatSources({ ...PUBLIC_CHAT_SERVERS, twitchIrc: settings.TWITCH_IRC_URL }),
        ...{ clock: systemClock, random: Math.random, logger },
      }),
      (it) => it.stop(),
    );

    const redis = this.connect('commands');
    const pushes = new ChatRelayReader(this.connect('chat'), logger, Date.now());
    this.own(pushes, (it) => it.stop()).start();
    const subscriber = new HintSubscriber(this.connect('hints'), logger);
    const onKeywords = keywords.update.bind(keywords);
    const rules = this.own(new RuleWatch(new RuleBoard(redis), logger, onKeywords), (it) => it.stop());
    await rules.start(subscriber);
    const links = { publisher: new FactPublisher(redis), watermarks: new WatermarkBoard(redis), hints: subscriber };
    const shipper = new Shipper(spool, links, logger, { clearOn: settings.SPOOL_CLEAR_ON });
    this.own(shipper, (it) => it.stop()).start();

    const monitorId = settings.MONITOR_ID ?? `${hostname()}-${process.pid}`;
    const platforms = new Map(
      registerPlatforms({ allowFiles: settings.ALLOW_FILES }).map((platform) => [platform.descriptor.id, platform]),
    );
    for (const id of proxies.platforms) {
      if (!platforms.has(id)) logger.warn({ platform: id }, 'PROXY_PLATFORMS names a platform that is not known');
    }
    const pace = () => detector.pace?.() ?? null;
    const budget = new InferenceBudget(
      () => settings.INFERENCE_BUDGET ?? pace()?.perSecond ?? null,
      () => performance.now(),
    );
    const hints = new HintPublisher(redis);
    const captures = new Captures({
      ...{
        budget,
        pace: new OriginPace(Date.now, Math.random),
        monitorId,
        egress,
        detector,
        rules,
        spool,
        evidence,
        ffmpegPath,
        logger,
        platforms,
      },
      ...{ voice, speech, keywords, chats, pushes },
      numbers: new SessionNumbers(redis),
      memories: new SessionMemories(redis),
      onSeen: (streamId) => void hints.publish(CHANNELS.seen, CaptureSeen, { v: 1, streamId, monitorId }),
      sampleIntervalMs: settings.SAMPLE_INTERVAL_MS,
      coverageReportMs: settings.COVERAGE_REPORT_MS,
      now: Date.now,
      random: Math.random,
    });
    const meter = this.own(
      new LoadMeter({
        streams: () => captures.size,
        children: () => captures.children,
        inference: () => {
          const { perSecond, granted } = budget;
          return perSecond === null ? null : { perSecond, granted, queued: pace()?.queued ?? 0 };
        },
        most: settings.CAPTURE_CAPACITY,
      }),
      (it) => it.stop(),
    );
    await meter.start();
    const directory = new MonitorDirectory(redis);
    const detectors = { video: detector.descriptor.id, speech: speech.descriptor.id };
    const claims = this.own(
      new Claims({ directory, detectors, own: () => this.heartbeat(), now: Date.now, logger }),
      (it) => it.stop(),
    );
    const worker = this.own(
      new CaptureWorker(
        this.connect('captures'),
        (job, signal) => captures.run(job, signal),
        { lockMs: settings.CAPTURE_LOCK_MS, rules: claims },
        logger,
      ),
      (it) => it.close(),
    );
    await subscriber.on(CHANNELS.captures, CaptureCommand, ({ streamId, upToGeneration }) =>
      worker.stop(streamId, upToGeneration),
    );
    await subscriber.on(CHANNELS.seen, CaptureSeen, (seen) => {
      if (seen.monitorId !== monitorId) worker.relieve(seen.streamId);
    });
    const inspections = new Inspections(detector, new InspectionBoard(redis), logger, Date.now);
    await this.own(inspections, (it) => it.stop()).start(subscriber);
    const startedAt = Date.now();
    this.heartbeat = () => {
      const load = meter.report();
      return {
        v: 1,
        monitorId,
        host: hostname(),
        pid: process.pid,
        version: VERSION,
        startedAt,
        at: Date.now(),
        capacity: captures.size + load.room,
        load,
        decisions: claims.decisions,
        chatSources: chats.descriptors,
        platforms: [...platforms.values()].map(({ descriptor }) => descriptor),
        detectors: detectorReports({ detector, speech, keywords, voiceFault }),
        spool: spool.stats,
        egress: totalsOf(egress.stats, this.speechWay?.stats),
        proxies: egress.proxies,
        canaryMs: settings.CANARY_INTERVAL_MS,
        sessions: captures.reports().map((report) => ({ ...report, why: claims.whyOf(report.streamId) })),
      };
    };
    await this.own(new Heartbeat(directory, this.heartbeat, logger), (it) => it.stop()).start();
    await claims.start(worker);
    worker.start();
    const canary = new Canary(
      {
        ...{ monitorId, egress, detector, voice, speech, spool, evidence, ffmpegPath, logger },
        ...{ now: Date.now, random: Math.random },
      },
      settings.CANARY_INTERVAL_MS,
    );
    this.own(canary, (it) => it.stop()).start();
    this.ready = true;
  }

  async onApplicationShutdown(): Promise<void> {
    this.ready = false;
    this.metrics.stop();
    for (let end = this.endings.pop(); end !== undefined; end = this.endings.pop()) {
      await end().catch((error: unknown) => this.logger.error({ error }, 'something did not stop in order'));
    }
  }

  /** The speech engine; what is missing for it is told by its state. */
  private async startSpeech(): Promise<SpeechDesk> {
    const { settings } = this;
    const serverUrl = settings.SPEECH_SERVER_URL;
    const way = serverUrl === undefined ? null : this.own(await SpeechWay.open(serverUrl), (it) => it.close());
    this.speechWay = way;
    const engine = createAsrEngine({
      ...{ serverUrl, serverKey: settings.SPEECH_SERVER_KEY, model: settings.SPEECH_MODEL },
      ...{ modelsDir: settings.MODELS_DIR, language: settings.SPEECH_LANGUAGE, threads: settings.SPEECH_THREADS },
      ...(way === null ? {} : { fetch: (url: URL, init: RequestInit) => way.fetch(url, init) }),
    });
    const speech = this.own(new SpeechDesk(engine), (it) => it.stop());
    speech.start();
    return speech;
  }

  private own<T>(part: T, end: (part: T) => Promise<unknown>): T {
    this.endings.push(() => end(part));
    return part;
  }

  private connect(name: string): RedisConnection {
    const redis = connectRedis(this.settings.REDIS_URL, `monitor-${name}`, this.logger);
    return this.own(redis, (it) => Promise.resolve(it.disconnect()));
  }
}

/** What went out by either way. */
function totalsOf(streams: EgressStats, speech: EgressStats = { refused: 0, requests: 0, bytes: 0 }): EgressStats {
  return {
    refused: streams.refused + speech.refused,
    requests: streams.requests + speech.requests,
    bytes: streams.bytes + speech.bytes,
  };
}
