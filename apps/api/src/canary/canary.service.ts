import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Metrics } from '#libs/observability/metrics.js';
import { CanaryReadings } from './canary-readings.repository.js';
import { CanaryRunsRepository, type RunRow } from './canary-runs.repository.js';
import type { CanaryReport, CanaryRun } from './canary.dto.js';

/** Tells how canaries and channels do, to people and to Prometheus. */
@Injectable()
export class CanaryService implements OnApplicationBootstrap {
  constructor(
    private readonly runs: CanaryRunsRepository,
    private readonly readings: CanaryReadings,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    const { metrics, readings } = this;
    metrics.add(
      {
        name: 'vigil_canary_latency_seconds',
        help: "From on air to the commit, in each monitor's latest run.",
        labels: ['monitor', 'part'],
        read: async () =>
          (await readings.latencies()).map(({ monitor, part, seconds }) => [{ monitor, part }, seconds] as const),
      },
      {
        name: 'vigil_canary_age_seconds',
        help: 'Since a monitor that is expected to has last had a run in which nothing was missed.',
        labels: ['monitor'],
        read: async () => (await readings.ages()).map(({ monitor, seconds }) => [{ monitor }, seconds] as const),
      },
      {
        name: 'vigil_canary_troubles',
        help: 'What of canaries and channels admins were told of and lasts.',
        labels: ['kind', 'subject', 'part'],
        read: async () =>
          (await readings.troubles()).map(({ kind, subject, part }) => [{ kind, subject, part }, 1] as const),
      },
    );
  }

  async report(limit: number): Promise<CanaryReport> {
    const [runs, channels, troubles] = await Promise.all([
      this.runs.recent(limit),
      this.readings.probes(),
      this.readings.troubles(),
    ]);
    return {
      runs: runs.map(viewOf),
      channels: channels.map(({ at, ...probe }) => ({ ...probe, at: at.toISOString() })),
      troubles: troubles.map(({ since, ...trouble }) => ({ ...trouble, since: since.toISOString() })),
    };
  }

  /** The latest complete run of each of these monitors that has one. */
  async latest(monitorIds: readonly string[]): Promise<Map<string, CanaryRun>> {
    return new Map((await this.runs.latest(monitorIds)).map((row) => [row.monitorId, viewOf(row)]));
  }
}

function viewOf({ runId, monitorId, startedAt, parts }: RunRow): CanaryRun {
  return { runId, monitorId, startedAt: startedAt.toISOString(), parts };
}
