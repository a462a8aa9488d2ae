import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { API_SETTINGS, type ApiSettings } from '../../runtime.module.js';
import type { Channel } from './channel.port.js';
import { registry } from './registry.js';

/** The channels of this process. */
@Injectable()
export class Channels implements OnModuleDestroy {
  readonly all: readonly Channel[];
  /** Ids of those that are set up. */
  readonly working: ReadonlySet<string>;

  constructor(@Inject(API_SETTINGS) settings: ApiSettings) {
    this.all = registry.map((make) => make(settings));
    this.working = new Set(this.all.filter(({ works }) => works).map(({ id }) => id));
  }

  get(id: string): Channel | null {
    return this.all.find((channel) => channel.id === id) ?? null;
  }

  onModuleDestroy(): void {
    for (const channel of this.all) channel.close();
  }
}
