import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CaptureQueue } from '#libs/bus/capture-queue.js';
import { FactBacklog } from '#libs/bus/fact-backlog.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { each, Metrics, plain, type Samples } from '#libs/observability/metrics.js';
import { IngestProcess } from '../detections/ingest-process.js';
import { Deliverer } from '../notifications/deliveries/deliverer.js';
import { MessagesGateway, NotificationsGateway, RootGateway } from '../realtime/gateways.js';
import { DROP_REASONS, SocketCounters } from '../realtime/socket-counters.js';
import { RetentionService } from '../retention/retention.service.js';
import { MetricsRepository } from './metrics.repository.js';

/** A reading of several servers is believed for so long, ms: three figures of one answer ask once. */
const BELIEVED_MS = 1_000;

/** The figures of the api, read from what each room counts anyway. */
@Injectable()
export class ApiReadings implements OnApplicationBootstrap {
  constructor(
    private readonly metrics: Metrics,
    private readonly rooms: ModuleRef,
    private readonly backlog: FactBacklog,
    private readonly monitors: MonitorDirectory,
    private readonly captures: CaptureQueue,
    private readonly database: MetricsRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.addFactsAndCaptures();
    this.addTelling();
    this.addRetention();
  }

  private addFactsAndCaptures(): void {
    const { stats } = this.room(IngestProcess);
    const backlog = once(() => this.backlog.read());
    this.metrics.add(
      { name: 'vigil_ingest_facts_total', help: 'Facts read.', read: () => plain(stats().read) },
      { name: 'vigil_ingest_buried_total', help: 'Facts put aside.', read: () => plain(stats().buried) },
      { name: 'vigil_ingest_faults_total', help: 'Faults of the ingest.', read: () => plain(stats().faults) },
      {
        name: 'vigil_ingest_leader',
        help: 'Whether this process stores facts; one in all does.',
        read: () => plain(Number(stats().leads)),
      },
      {
        name: 'vigil_facts_waiting',
        help: 'Facts in Redis that are not stored yet.',
        read: async () => plain((await backlog()).waiting),
      },
      {
        name: 'vigil_facts_oldest_seconds',
        help: 'Age of the oldest fact that is not stored yet.',
        read: async () => plain((await backlog()).oldestMs / 1_000),
      },
      { name: 'vigil_dead_facts', help: 'Facts that were put aside.', read: async () => plain((await backlog()).dead) },
      { name: 'vigil_monitors', help: 'Monitors that are there.', read: async () => plain(await this.monitorCount()) },
      {
        ...{ name: 'vigil_captures', help: 'Captures in the queue, by state.', labels: ['state'] },
        read: async () => each('state', await this.captures.counts()),
      },
      {
        ...{ name: 'vigil_streams', help: 'Streams, by status.', labels: ['status'] },
        read: async () => each('status', await this.database.streams()),
      },
    );
  }

  private addTelling(): void {
    const deliverer = this.room(Deliverer);
    const counters = this.room(SocketCounters);
    const gateways = [this.room(RootGateway), this.room(NotificationsGateway), this.room(MessagesGateway)];
    const deliveries = once(() => this.database.deliveries());
    const byChannel = async (field: 'open' | 'dead' | 'overdue'): Promise<Samples> =>
      (await deliveries()).map((row) => [{ channel: row.channel }, row[field]]);
    const labels = ['channel'];
    this.metrics.add(
      {
        ...{ name: 'vigil_delivery_attempts_total', help: 'Attempts to deliver, by what became of them.' },
        labels: ['channel', 'outcome'],
        read: () => deliverer.outcomes(),
      },
      {
        ...{ name: 'vigil_deliveries_open', help: 'Deliveries that are still to be sent.', labels },
        read: () => byChannel('open'),
      },
      { name: 'vigil_deliveries_dead', help: 'Deliveries given up.', labels, read: () => byChannel('dead') },
      {
        ...{ name: 'vigil_deliveries_overdue_seconds', help: 'For how long the oldest delivery has been due.', labels },
        read: () => byChannel('overdue'),
      },
      {
        ...{ name: 'vigil_sockets', help: 'Open sockets of this process.', labels: ['namespace'] },
        read: () =>
          gateways.flatMap(({ namespace }) =>
            namespace === null ? [] : [[{ namespace: namespace.name }, namespace.sockets.size] as const],
          ),
      },
      {
        ...{ name: 'vigil_socket_drops_total', help: 'What of clients was refused or dropped.', labels: ['reason'] },
        read: () => DROP_REASONS.map((reason) => [{ reason }, counters.of(reason)] as const),
      },
    );
  }

  private addRetention(): void {
    const { stats } = this.room(RetentionService);
    this.metrics.add(
      {
        ...{ name: 'vigil_retention_removed_total', help: 'Rows removed by age or size.', labels: ['what'] },
        read: () => each('what', stats.removed),
      },
      { name: 'vigil_retention_files_total', help: 'Files of evidence removed.', read: () => plain(stats.files) },
      { name: 'vigil_retention_faults_total', help: 'Sweeps that failed in part.', read: () => plain(stats.faults) },
      {
        name: 'vigil_retention_overruns_total',
        help: 'Batches that took too long and were tried again with fewer rows.',
        read: () => plain(stats.overruns),
      },
      {
        name: 'vigil_retention_over_limit_bytes',
        help: 'Evidence beyond its limit that somebody wants kept.',
        read: () => plain(stats.overLimit),
      },
    );
  }

  private async monitorCount(): Promise<number> {
    return (await this.monitors.list()).length;
  }

  private room<T>(part: new (...parts: never[]) => T): T {
    return this.rooms.get<T>(part, { strict: false });
  }
}

/** Asks again only after a moment. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: { at: number; answer: Promise<T> } | null = null;
  return () => {
    if (known === null || Date.now() - known.at > BELIEVED_MS) known = { at: Date.now(), answer: ask() };
    return known.answer;
  };
}
