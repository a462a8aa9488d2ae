import { Injectable } from '@nestjs/common';
import { DeliveriesRepository } from './deliveries.repository.js';

/** Pauses that receivers asked for; whoever else sends to them keeps to the same ones. */
@Injectable()
export class Holds {
  constructor(private readonly deliveries: DeliveriesRepository) {}

  /** How much longer nothing may be sent, ms; 0 when it may. */
  async leftMs(target: string): Promise<number> {
    const until = await this.deliveries.holdUntil(target);
    return until === null ? 0 : Math.max(0, until.getTime() - Date.now());
  }

  /** Has everybody wait from now on. */
  keep(target: string, ms: number): Promise<void> {
    return this.deliveries.hold(target, new Date(Date.now() + ms));
  }
}
