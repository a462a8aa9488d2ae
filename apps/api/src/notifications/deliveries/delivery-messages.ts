import { Inject, Injectable } from '@nestjs/common';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { API_SETTINGS, type ApiSettings } from '../../runtime.module.js';
import type { ChannelMessage } from '../channels/channel.port.js';
import { SEVERITIES } from '../policy/severity.js';
import type { DeliveryItem, DeliveryRow, ShownAlert } from './deliveries.repository.js';

/** Injection token of the store that evidence images are read from. */
export const DELIVERY_EVIDENCE = Symbol('DELIVERY_EVIDENCE');

/** Largest image that travels with a message, bytes. */
const MOST_IMAGE_BYTES = 5_000_000;

/** Makes messages of what is to be told. */
@Injectable()
export class DeliveryMessages {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(DELIVERY_EVIDENCE) private readonly evidence: EvidenceStore,
  ) {}

  /** The message with its picture, where its channel shows one. */
  async illustrated(row: DeliveryRow, items: readonly DeliveryItem[]): Promise<ChannelMessage> {
    const wanted = row.channel !== 'webhook' && items.length === 1;
    return { ...this.plain(row, items), image: wanted ? await this.imageOf(items[0]?.evidenceKey ?? null) : null };
  }

  /** The message without a picture. */
  plain(row: DeliveryRow, items: readonly DeliveryItem[]): ChannelMessage {
    const [first] = items;
    const [title, body] =
      items.length === 1 ? [first?.title ?? '', first?.body ?? ''] : [`${String(items.length)} notifications`, ''];
    const severity =
      SEVERITIES.filter((candidate) => items.some((item) => item.severity === candidate)).at(-1) ?? 'info';
    return {
      ...{ id: row.id, title, body, severity, image: null, traceparent: null },
      items: items.map(
        ({ ruleId: _ruleId, label: _label, evidenceKey: _key, acknowledgedBy: _acknowledgedBy, ...item }) => item,
      ),
      acknowledgedBy: items.length === 1 ? (first?.acknowledgedBy ?? null) : null,
      link: linkOf(this.settings.PUBLIC_URL, first?.detectionId ?? null),
    };
  }

  private async imageOf(key: string | null): Promise<Buffer | null> {
    if (key === null) return null;
    // A message without its picture is better than none.
    const bytes = await this.evidence.read(key).catch(() => null);
    return bytes !== null && bytes.length <= MOST_IMAGE_BYTES ? bytes : null;
  }
}

function linkOf(base: string | undefined, detectionId: string | null): string | null {
  if (base === undefined) return null;
  return detectionId === null ? base : `${base.replace(/\/+$/, '')}/detections/${detectionId}`;
}

/** What a message says of the one alert that it tells of; null for several. */
export function shownOf([item, ...more]: readonly DeliveryItem[]): ShownAlert | null {
  if (item === undefined || more.length > 0) return null;
  return { count: item.count, acknowledged: item.acknowledgedBy !== null };
}
