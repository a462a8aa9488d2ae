import { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';
import { mailTransport } from '../../../mail/mail-transport.js';
import type { ApiSettings } from '../../../runtime.module.js';
import { DeliveryFault, type Channel, type ChannelMessage } from '../channel.port.js';
import { htmlOf, textOf } from './email-text.js';

/** Connections to the mail server at most. */
const MOST_CONNECTIONS = 4;
const PATIENCE_MS = 15_000;

const EmailTarget = z.object({ address: z.email() });

/** What nodemailer says of a failure. */
const MailFault = z.object({ responseCode: z.number().int().optional(), code: z.string().optional() });

/** Sends e-mail over the server of `SMTP_URL`. */
export function emailChannel({ SMTP_URL: url, MAIL_FROM: from }: ApiSettings): Channel {
  const transport = mailTransport(url, MOST_CONNECTIONS, PATIENCE_MS);
  return {
    id: 'email',
    title: 'E-mail',
    target: EmailTarget,
    concurrency: MOST_CONNECTIONS,
    works: transport !== null,
    holdOf: () => 'email',
    close: () => transport?.close(),
    async send(message, target, signal) {
      const { address } = EmailTarget.parse(target);
      if (transport === null) throw new DeliveryFault('No mail server is configured: set SMTP_URL.');
      try {
        await abortable(transport.sendMail(mailOf(message, from, address)), signal);
        return messageIdOf(message.id);
      } catch (error) {
        throw faultOf(error);
      }
    },
    /** Connects anew, signs in and says goodbye. */
    async probe(signal) {
      if (transport === null) return;
      try {
        await abortable(transport.verify(), signal);
      } catch (error) {
        throw faultOf(error);
      }
    },
  };
}

/** The Message-ID of a delivery (RFC 5322): the same for every attempt, so that a double can be told. */
export function messageIdOf(deliveryId: string): string {
  return `<${deliveryId}@deliveries.vigil>`;
}

function mailOf(message: ChannelMessage, from: string, address: string): object {
  const cid = `evidence-${message.id}@vigil`;
  return {
    from,
    to: { name: '', address },
    subject: `[${message.severity}] ${message.title}`.slice(0, 200),
    messageId: messageIdOf(message.id),
    text: textOf(message),
    html: htmlOf(message, message.image === null ? null : cid),
    // Out-of-office answers and the like are not wanted (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated', ...correlationOf(message) },
    attachments:
      message.image === null
        ? []
        : [{ filename: 'evidence.jpg', content: message.image, contentType: 'image/jpeg', cid }],
  };
}

/** Ids of the detections that it tells of, the same as in every log on their way here. */
function correlationOf({ items }: ChannelMessage): Record<string, string> {
  const ids = items.flatMap(({ detectionId }) => detectionId ?? []).slice(0, 20);
  return ids.length === 0 ? {} : { 'X-Correlation-Id': ids.join(' ') };
}

/** A 5xx to a command about this mail (RFC 5321) is final; everything else may pass. */
function faultOf(error: unknown): DeliveryFault {
  if (error instanceof DeliveryFault) return error;
  const { responseCode = 0, code = '' } = MailFault.safeParse(error).data ?? {};
  const permanent = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return new DeliveryFault(`The mail server: ${messageOf(error).slice(0, 300)}`, permanent);
}

/** Waits no longer than the signal lets it; the mail itself cannot be called back. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(new DeliveryFault('The mail server did not answer in time.'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
  return Promise.race([work, ended]);
}
