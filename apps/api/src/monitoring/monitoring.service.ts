import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { CanaryService } from '../canary/canary.service.js';
import { DesiredState } from '../streams/desired-state.service.js';
import type { StreamEntity } from '../streams/stream.entity.js';
import { stateOf } from '../streams/streams.dto.js';
import { StreamsService } from '../streams/streams.service.js';
import { sessionsOf } from './alignment.js';
import { CaptureControl } from './capture-control.js';
import type {
  DetectorList,
  DetectionStatus,
  MonitorHealth,
  MonitorList,
  MonitoringResult,
  RestartRequest,
  RestartResult,
} from './monitoring.dto.js';
import { detectorsOf } from './detector-list.js';
import { Reconciler } from './reconciler.js';

const LATER = 'Committed. Redis is away: the monitors hear of it as soon as it is back.';

/** Starts and stops the watching of streams, and says how it goes. */
@Injectable()
export class MonitoringService {
  constructor(
    private readonly desiredState: DesiredState,
    private readonly streams: StreamsService,
    private readonly control: CaptureControl,
    private readonly reconciler: Reconciler,
    private readonly canary: CanaryService,
  ) {}

  /** @throws AppError `stream.not_found`. */
  async start(viewer: AuthenticatedUser, streamId: string): Promise<MonitoringResult> {
    const row = await this.desiredState.set(viewer, streamId, true);
    return resultOf(row, await reached(this.control.add(row)));
  }

  /** @throws AppError `stream.not_found`. */
  async stop(viewer: AuthenticatedUser, streamId: string): Promise<MonitoringResult> {
    const row = await this.desiredState.set(viewer, streamId, false);
    return resultOf(row, await reached(this.control.stop(streamId, row.generation)));
  }

  /** Begins captures anew: their old ones are told to end here, the reconciler adds the new ones once they have. */
  async restart({ streamIds }: RestartRequest): Promise<RestartResult> {
    const rows = await this.desiredState.restart(streamIds ?? null);
    let note: string | null = null;
    for (const { id, generation } of rows) {
      note = await reached(this.control.stop(id, generation - 1));
      if (note !== null) break;
    }
    this.reconciler.soon();
    return { streamIds: rows.map(({ id }) => id), note };
  }

  /** @throws AppError `stream.not_found`. */
  async status(viewer: AuthenticatedUser, streamId: string): Promise<DetectionStatus> {
    const row = await this.streams.entity(viewer, streamId);
    const monitors = await this.control.monitors().catch(emptyWhenAway);
    const session = sessionsOf(monitors).get(streamId);
    return {
      streamId,
      monitored: row.desired,
      generation: row.generation,
      status: stateOf(row),
      monitorId: session?.monitor.monitorId ?? null,
      session: session?.report ?? null,
      detectors: session?.monitor.detectors ?? [],
    };
  }

  async health(): Promise<MonitorHealth> {
    const desired = (await this.desiredState.all()).length;
    try {
      const [monitors, captures] = await Promise.all([this.control.monitors(), this.control.captures()]);
      const capacity = monitors.reduce((sum, monitor) => sum + monitor.capacity, 0);
      const active = [...captures.values()].filter(({ state }) => state === 'active').length;
      const waiting = captures.size - active;
      const down = monitors.length === 0;
      const blind = monitors.some(({ detectors }) => detectors.some(({ state }) => state === 'degraded'));
      return {
        status: down ? 'down' : blind || desired > capacity ? 'degraded' : 'ok',
        redis: 'up',
        monitors: monitors.length,
        capacity,
        desired,
        active,
        waiting,
        detail: down
          ? 'No monitor is running.'
          : desired > capacity
            ? 'More streams should be watched than the monitors have room for: start another monitor.'
            : blind
              ? 'A detector does not work as it should: see GET /api/monitors.'
              : '',
      };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const none = { monitors: 0, capacity: 0, active: 0, waiting: 0 };
      return { status: 'down', redis: 'down', desired, ...none, detail: error.message };
    }
  }

  /** @throws AppError `redis.unavailable`. */
  async monitors(): Promise<MonitorList> {
    const monitors = await this.control.monitors();
    const canaries = await this.canary.latest(monitors.map(({ monitorId }) => monitorId));
    return {
      items: monitors.map(({ v: _version, ...monitor }) => ({
        ...monitor,
        canary: canaries.get(monitor.monitorId) ?? null,
      })),
    };
  }

  /** @throws AppError `redis.unavailable`. */
  async detectors(): Promise<DetectorList> {
    return detectorsOf(await this.control.monitors());
  }
}

async function reached(command: Promise<void>): Promise<string | null> {
  return command.then(
    () => null,
    () => LATER,
  );
}

function emptyWhenAway(error: unknown): never[] {
  if (error instanceof AppError) return [];
  throw error;
}

function resultOf(row: StreamEntity, note: string | null): MonitoringResult {
  const { id, desired, generation } = row;
  return { streamId: id, monitored: desired, generation, status: stateOf(row), note };
}
