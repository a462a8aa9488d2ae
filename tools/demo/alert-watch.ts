import type { VigilClient } from '../../clients/typescript/client.js';
import type { Inbox, MailEntry } from './inbox.js';
import type { DemoReport } from './report.js';

/** Notifications among which the one of a mail is looked for. */
const LOOKED_AT = 20;

/** Where a person finds what the demo tells of. */
export interface Places {
  inbox: string;
  docs: string;
}

/** What the alerts of the demo come to, as others see it too. */
export type AlertNews = 'email' | 'acknowledged';

/**
 * Tells of the mails that come, and takes on the alert that the first of them tells of, as the admin would: later ones
 * are left for the person who watches.
 */
export class AlertWatch {
  private acknowledging: Promise<boolean> | null = null;

  constructor(
    private readonly vigil: VigilClient,
    private readonly inbox: Inbox,
    private readonly places: Places,
    private readonly report: DemoReport,
    private readonly told: (news: AlertNews) => void,
  ) {}

  /** A mail came. */
  async mail(mail: MailEntry): Promise<void> {
    const { id, from, to, subject, messageId, pictures } = mail;
    const url = `${this.places.inbox}#${id}`;
    const facts = { from, to, subject, messageId, pictures, url, file: `${this.inbox.directory}/${id}.eml` };
    const time = new Date(mail.at).toLocaleTimeString();
    this.report.event('email', facts, `${time}  e-mail to ${to}: ${subject}\n  ${url}`);
    this.told('email');
    if (this.acknowledging !== null) return;
    this.acknowledging = this.acknowledge(mail).catch(() => false);
    // One that could not be found or taken on leaves the next mail to be tried.
    if (!(await this.acknowledging)) this.acknowledging = null;
  }

  /** @returns false when the mail's alert was not found among the latest */
  private async acknowledge(mail: MailEntry): Promise<boolean> {
    const found = await this.notificationOf(mail.messageId);
    if (found === null) return false;
    const path = { id: found.id };
    const { data: taken } = await this.vigil.POST('/api/notifications/{id}/acknowledge', { params: { path } });
    const { data: me } = await this.vigil.GET('/api/me');
    if (taken === undefined || taken.acknowledgedAt === null || me === undefined) return false;
    const evidence = await this.evidenceOf(taken.detectionId);
    const seconds = (Date.parse(taken.acknowledgedAt) - Date.parse(taken.createdAt)) / 1_000;
    mail.outcome = `Acknowledged by ${me.username} after ${seconds.toFixed(1)} s`;
    this.report.event(
      'acknowledged',
      {
        ...{ by: me.username, notificationId: taken.id, alertId: taken.alertId, title: taken.title },
        ...{ severity: taken.severity, seconds, evidence, inbox: this.places.inbox, docs: this.places.docs },
      },
      [
        `\nacknowledged  “${taken.title}” by ${me.username}, ${seconds.toFixed(1)} s after the alert was raised:`,
        'nobody else is woken for it. Further alerts are yours to acknowledge.',
        `  the mail     ${this.places.inbox}#${mail.id}`,
        ...(evidence === null ? [] : [`  its picture  ${evidence}`]),
        `  Swagger UI   ${this.places.docs}#/notifications/acknowledgeNotification\n`,
      ].join('\n'),
    );
    this.told('acknowledged');
    return true;
  }

  /** The notification whose delivery has this Message-ID. */
  private async notificationOf(messageId: string): Promise<{ id: string } | null> {
    const { data: page } = await this.vigil.GET('/api/notifications', { params: { query: { limit: LOOKED_AT } } });
    for (const { id, acknowledgedAt } of page?.items ?? []) {
      if (acknowledgedAt !== null) continue;
      const { data } = await this.vigil.GET('/api/notifications/{id}/deliveries', { params: { path: { id } } });
      if (data?.items.some((delivery) => messageId.includes(delivery.id)) === true) return { id };
    }
    return null;
  }

  /** Address of the picture of a detection, with its boxes. */
  private async evidenceOf(detectionId: string | null): Promise<string | null> {
    if (detectionId === null) return null;
    const { data } = await this.vigil.GET('/api/detections/{id}', { params: { path: { id: detectionId } } });
    const path = data?.imageUrl ?? null;
    return path === null ? null : new URL(`${path}&boxes=1`, this.places.docs).href;
  }
}
