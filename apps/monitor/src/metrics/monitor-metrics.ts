import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { each, Metrics, plain, type Samples } from '#libs/observability/metrics.js';
import type { WorkerPoolStats } from '../inference/worker-pool.js';
import { SessionTotals } from './session-totals.js';

/** What the figures are read from. */
export interface MonitorState {
  isReady: () => boolean;
  heartbeat: () => MonitorHeartbeat;
  /** Null while no model is loaded. */
  inference: () => WorkerPoolStats | null;
}

/** How often sessions are looked at, so that what the last ones did is not lost when they end, ms. */
const LOOK_MS = 2_000;

/** The figures of a monitor, read from what it says of itself. */
export class MonitorMetrics {
  private readonly metrics = new Metrics('monitor');
  private readonly totals = new SessionTotals();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly state: MonitorState) {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    this.addSessions();
    this.addMachine();
    this.addInference();
  }

  get contentType(): string {
    return this.metrics.contentType;
  }

  text(): Promise<string> {
    this.look();
    return this.metrics.text();
  }

  names(): string[] {
    return this.metrics.names();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    if (this.state.isReady()) this.totals.take(this.report().sessions);
  }

  /** @throws until the monitor has started: its figures are left out. */
  private report(): MonitorHeartbeat {
    return this.state.heartbeat();
  }

  private addSessions(): void {
    const { totals } = this;
    const perStream = (value: (session: MonitorHeartbeat['sessions'][number]) => number | null): Samples =>
      this.report().sessions.flatMap((session) => {
        const figure = value(session);
        return figure === null ? [] : [[{ stream: session.streamId }, figure] as const];
      });
    const labels = ['stream'];
    this.metrics.add(
      { name: 'vigil_monitor_ready', help: 'Whether jobs are taken.', read: () => plain(Number(this.state.isReady())) },
      { name: 'vigil_capture_capacity', help: 'Streams watched at most.', read: () => plain(this.report().capacity) },
      {
        ...{ name: 'vigil_sessions', help: 'Streams being watched, by status.', labels: ['status'] },
        read: () => {
          const counts: Record<string, number> = {};
          for (const { status } of this.report().sessions) counts[status] = (counts[status] ?? 0) + 1;
          return each('status', counts);
        },
      },
      {
        ...{ name: 'vigil_session_inspected_fps', help: 'Frames inspected a second, by stream.', labels },
        read: () => perStream(({ inspectedFps }) => inspectedFps),
      },
      {
        ...{ name: 'vigil_session_frame_age_seconds', help: 'Age of the newest frame, by stream.', labels },
        read: () => perStream(({ lastFrameAt }) => (lastFrameAt === null ? null : (Date.now() - lastFrameAt) / 1_000)),
      },
      {
        ...{ name: 'vigil_session_part_up', help: 'Whether a part of a session is live.', labels: ['stream', 'part'] },
        read: () =>
          this.report().sessions.flatMap(({ streamId, parts }) =>
            Object.entries(parts)
              .filter(([, { state }]) => state !== 'off')
              .map(([part, { state }]) => [{ stream: streamId, part }, Number(state === 'live')] as const),
          ),
      },
      { name: 'vigil_frames_captured_total', help: 'Frames captured.', read: () => plain(totals.of('captured')) },
      { name: 'vigil_frames_inspected_total', help: 'Frames inspected.', read: () => plain(totals.of('inspected')) },
      { name: 'vigil_capture_restarts_total', help: 'Captures begun anew.', read: () => plain(totals.of('restarts')) },
      { name: 'vigil_chat_messages_total', help: 'Lines of chat read.', read: () => plain(totals.of('chat')) },
      {
        ...{ name: 'vigil_sound_seconds_total', help: 'Sound heard, and speech in it.', labels: ['what'] },
        read: () => each('what', { heard: totals.of('heardMs') / 1_000, speech: totals.of('speechMs') / 1_000 }),
      },
    );
  }

  private addMachine(): void {
    const { totals } = this;
    this.metrics.add(
      {
        ...{ name: 'vigil_drops_total', help: 'What was given up, by reason.', labels: ['reason'] },
        read: () => {
          const { shedFrames, shedRecords } = this.report().spool;
          return each('reason', {
            frame_replaced: totals.of('dropped'),
            finding_queue_full: totals.of('findings'),
            chat_behind: totals.of('chatDropped'),
            spool_evidence_shed: shedFrames,
            spool_record_shed: shedRecords,
          });
        },
      },
      {
        name: 'vigil_speech_dropped_seconds_total',
        help: 'Speech given up because the engine was behind.',
        read: () => plain(totals.of('speechDroppedMs') / 1_000),
      },
      { name: 'vigil_spool_pending', help: 'Facts not committed yet.', read: () => plain(this.report().spool.pending) },
      { name: 'vigil_spool_bytes', help: 'Room the spool takes.', read: () => plain(this.report().spool.bytes) },
      {
        name: 'vigil_egress_requests_total',
        help: 'Requests to the outside.',
        read: () => plain(this.report().egress.requests),
      },
      { name: 'vigil_egress_bytes_total', help: 'Bytes received.', read: () => plain(this.report().egress.bytes) },
      {
        name: 'vigil_egress_refused_total',
        help: 'Requests to addresses that are not allowed.',
        read: () => plain(this.report().egress.refused),
      },
      {
        ...{ name: 'vigil_proxy_up', help: 'Whether an upstream proxy is in use.', labels: ['proxy'] },
        read: () =>
          this.report().proxies.map(({ name, state }) => [{ proxy: name }, Number(state === 'healthy')] as const),
      },
      {
        ...{ name: 'vigil_proxy_requests_total', help: 'Uses of an upstream proxy.', labels: ['proxy', 'outcome'] },
        read: () =>
          this.report().proxies.flatMap(({ name: proxy, successes, failures }) => [
            [{ proxy, outcome: 'success' }, successes] as const,
            [{ proxy, outcome: 'failure' }, failures] as const,
          ]),
      },
      {
        ...{ name: 'vigil_detector_ready', help: 'Whether a detector can do its work.', labels: ['detector'] },
        read: () =>
          this.report().detectors.map(({ id, state }) => [{ detector: id }, Number(state === 'ready')] as const),
      },
    );
  }

  private addInference(): void {
    const stats = (): WorkerPoolStats => {
      const known = this.state.inference();
      if (known === null) throw new Error('No model is loaded.');
      return known;
    };
    this.metrics.add(
      { name: 'vigil_inference_queued', help: 'Frames that wait for a thread.', read: () => plain(stats().queued) },
      { name: 'vigil_inference_threads', help: 'Threads of the model.', read: () => plain(stats().threads) },
      {
        name: 'vigil_inference_busy_seconds_total',
        help: 'Time that threads spent on frames, all together.',
        read: () => plain(stats().busyMs / 1_000),
      },
      {
        ...{ name: 'vigil_inference_total', help: 'Frames given to the model, by outcome.', labels: ['outcome'] },
        read: () => {
          const { done, failed, refused, timedOut, aborted } = stats();
          return each('outcome', { done, failed, refused, timed_out: timedOut, aborted });
        },
      },
      { name: 'vigil_inference_restarts_total', help: 'Threads replaced.', read: () => plain(stats().restarts) },
    );
  }
}
