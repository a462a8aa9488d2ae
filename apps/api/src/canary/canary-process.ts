import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderTask } from '../database/leader-task.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { CanaryWatch } from './canary-watch.js';
import { ChannelProbes } from './channel-probes.js';

/** Time between two looks at most, ms; a quarter of a short grace. */
const LOOK_MS = 5_000;

/** Looks whether canaries come out, and probes channels; one process among all does. */
@Injectable()
export class CanaryProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly tasks: readonly LeaderTask[];

  constructor(
    @Inject(API_SETTINGS) { DATABASE_URL: databaseUrl, CANARY_GRACE_MS: graceMs }: ApiSettings,
    @Inject(LOGGER) logger: Logger,
    watch: CanaryWatch,
    probes: ChannelProbes,
  ) {
    const common = { databaseUrl, everyMs: Math.min(LOOK_MS, graceMs / 4), logger };
    this.tasks = [
      new LeaderTask({
        ...{ ...common, key: ADVISORY_LOCKS.canary, complaint: 'it cannot be looked whether canaries come out' },
        turn: (_signal, leadingSince) => watch.look(Date.now(), leadingSince),
      }),
      // By themselves: a mail server that does not answer must not hold up the watch.
      new LeaderTask({
        ...{ ...common, key: ADVISORY_LOCKS.channelProbes, complaint: 'channels cannot be probed now' },
        turn: (signal) => probes.run(signal),
      }),
    ];
  }

  onApplicationBootstrap(): void {
    for (const task of this.tasks) task.start();
  }

  /** Before the data source closes: the look at hand is finished. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.tasks.map((task) => task.stop()));
  }
}
