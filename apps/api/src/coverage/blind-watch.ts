import { Inject, Injectable } from '@nestjs/common';
import { list } from '#libs/config/settings.js';
import { CoveragePart } from '#libs/contracts/coverage.js';
import { TransactionRunner } from '../database/transaction.js';
import { runEffects } from '../detections/fact-writer.js';
import { Notices, type StreamNews } from '../notifications/notices.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { blindChanges, blindText, overText, type BlindChange } from './blindness.js';
import { BlindEpisodesRepository } from './blind-episodes.repository.js';
import { silentMsOf } from './silence.js';

const [BLIND, OVER, LABEL] = ['blind', 'blind-over', 'not watched'];

/** Tells people of streams that nobody watches, once, and when somebody does again. */
@Injectable()
export class BlindWatch {
  private readonly parts: CoveragePart[];

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly episodes: BlindEpisodesRepository,
    private readonly notices: Notices,
    private readonly transactions: TransactionRunner,
  ) {
    this.parts = list.parse(settings.BLIND_PARTS).map((part) => CoveragePart.parse(part));
  }

  /** One look. @param lookingSince since when this process looks @throws when the database is away. */
  async look(now: number, lookingSince: number): Promise<void> {
    const afterMs = this.settings.BLIND_AFTER_MS;
    if (afterMs === 0) return;
    const effects = await this.transactions.run(async (tx) => {
      for (const streamId of await this.episodes.closeUnwanted(tx, this.parts, now)) {
        await this.notices.calm(tx, streamId, BLIND);
      }
      const states = await this.episodes.states(tx, this.parts, now, afterMs, silentMsOf(this.settings));
      const { opened, closed } = blindChanges(states, now, { afterMs, lookingSince });
      await this.episodes.open(
        tx,
        opened.flatMap(({ parts }) => parts),
      );
      await this.episodes.close(
        tx,
        closed.flatMap(({ parts }) => parts),
        now,
      );
      return this.notices.ofStreams(tx, [...opened.map(openedNews), ...closed.map(closedNews)]);
    });
    await runEffects(effects, () => undefined);
  }
}

function openedNews(change: BlindChange): StreamNews {
  const { streamId, streamName } = change;
  return {
    ...{ streamId, streamName, topic: BLIND, label: LABEL, severity: 'high', title: 'Not watched:' },
    body: blindText(change),
  };
}

function closedNews(change: BlindChange): StreamNews {
  const { streamId, streamName } = change;
  return {
    ...{ streamId, streamName, topic: OVER, label: LABEL, severity: 'high', title: 'No longer blind:', ends: BLIND },
    body: overText(change),
  };
}
