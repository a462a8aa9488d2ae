import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** A mail of this size at most, bytes. */
const LARGEST_MAIL = 10 * 1024 * 1024;
const MOST_CLIENTS = 20;

/** The demo's mail server. */
export interface MailServer {
  /** For `SMTP_URL`. */
  url: string;
  stop(): Promise<void>;
}

/**
 * The mail server of the demo: real SMTP, on loopback, for every address. Whatever comes is handed to `keep` and goes
 * nowhere else.
 */
export async function startMailServer(keep: (raw: Buffer) => Promise<void>): Promise<MailServer> {
  const server = new SMTPServer({
    ...{ name: 'mail.vigil-demo.invalid', banner: "The mail server of Vigil's demo: nothing leaves this machine" },
    ...{ authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true, logger: false },
    ...{ size: LARGEST_MAIL, maxClients: MOST_CLIENTS, closeTimeout: 500 },
    onData: (stream, _session, answer) => {
      // One that is too large is read to its end and thrown away.
      buffer(stream)
        .then((raw) => (stream.sizeExceeded ? refuseSize() : keep(raw)))
        .then(
          () => answer(),
          (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
        );
    },
  });
  // A client that goes away is nothing to stop for.
  server.on('error', () => undefined);
  const listening = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', reject);
    const socket = server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve(socket.address() as AddressInfo);
    });
  });
  return {
    url: `smtp://127.0.0.1:${listening.port}`,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function refuseSize(): never {
  throw Object.assign(new Error('A mail holds 10 MB at most.'), { responseCode: 552 });
}
