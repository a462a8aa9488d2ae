import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server as HttpServer } from 'node:http';
import { Server as TlsServer, createSecureContext } from 'node:tls';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { ApiSettings } from '../runtime.module.js';

/** How often the files are looked at, ms: they may be links that somebody swaps, which tells nobody. */
const LOOK_MS = 5_000;

interface Content {
  cert: Buffer;
  key: Buffer;
}

/** The certificate of this server, taken up anew when its files change. */
export class Certificate {
  private constructor(
    readonly content: Content,
    private readonly paths: readonly [cert: string, key: string],
    private readonly logger: Logger,
  ) {}

  /**
   * The certificate that the settings name, null when they name none.
   * @throws AppError `tls.unusable` when only one file is named, or one cannot be read, or they do not fit.
   */
  static async of(
    { SSL_CERT_PATH: cert, SSL_KEY_PATH: key }: Pick<ApiSettings, 'SSL_CERT_PATH' | 'SSL_KEY_PATH'>,
    logger: Logger,
  ): Promise<Certificate | null> {
    if (cert === undefined && key === undefined) return null;
    if (cert === undefined || key === undefined)
      throw unusable('SSL_CERT_PATH and SSL_KEY_PATH go together: set both.');
    return new Certificate(await read([cert, key]), [cert, key], logger);
  }

  /** Has the server use what is in the files whenever they change, until it closes. Open connections stay. */
  keepFresh(server: HttpServer, everyMs = LOOK_MS): void {
    const renew = (): void => {
      read(this.paths).then(
        (content) => {
          if (server instanceof TlsServer) server.setSecureContext(content);
          this.logger.info('the certificate was renewed');
        },
        // Half of a pair is written first: the next look finds both, and until then the old one serves.
        (error: unknown) => this.logger.warn({ error: messageOf(error) }, 'the new certificate cannot be used yet'),
      );
    };
    for (const path of this.paths) watchFile(path, { interval: everyMs, persistent: false }, renew);
    server.once('close', () => {
      for (const path of this.paths) unwatchFile(path, renew);
    });
  }
}

async function read([certPath, keyPath]: readonly [string, string]): Promise<Content> {
  try {
    const [cert, key] = await Promise.all([readFile(certPath), readFile(keyPath)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    throw unusable(`The certificate of SSL_CERT_PATH and SSL_KEY_PATH cannot be used: ${messageOf(error)}.`);
  }
}

const unusable = (sentence: string): AppError => new AppError('tls.unusable', 'user', sentence);
