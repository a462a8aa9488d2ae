import { createTransport, type Transporter } from 'nodemailer';

/**
 * Pooled connections to the mail server of `SMTP_URL`; null when there is none. Mails may name neither files nor urls.
 * @param patienceMs how long the server may take for each step
 */
export function mailTransport(url: string | undefined, maxConnections: number, patienceMs: number): Transporter | null {
  if (url === undefined) return null;
  return createTransport({
    ...{ url, pool: true, maxConnections, disableFileAccess: true, disableUrlAccess: true },
    ...{ connectionTimeout: patienceMs, greetingTimeout: patienceMs, socketTimeout: patienceMs },
  });
}
