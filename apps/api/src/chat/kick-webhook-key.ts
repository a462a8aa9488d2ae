import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';

/** What fetching the key needs. */
export interface KickPublicKeyParts {
  /** `https://api.kick.com/public/v1/public-key`; tests name their own. */
  url: string;
  /** Node's own `fetch`, or what stands in for it. */
  fetch: (url: string, init: { signal: AbortSignal; redirect: 'error' }) => Promise<Response>;
  /** Epoch ms. */
  now: () => number;
}

const Answer = z.object({ data: z.object({ public_key: z.string().max(4_000) }) });

/** A key is believed for so long, ms. */
const KEEP_MS = 24 * 3_600_000;
/** It is not asked for more often than this, whether or not there was an answer, ms. */
const LEAST_MS = 60_000;
const TIMEOUT_MS = 5_000;
const BODY_LIMIT = 16 * 1_024;

/** Kick's public key, fetched when it is first needed and kept for a day (docs.kick.com, "Public Key"). */
export class KickPublicKey {
  private kept: { pem: string; at: number } | null = null;
  private triedAt = -Infinity;
  private fetching: Promise<string> | null = null;

  constructor(private readonly parts: KickPublicKeyParts) {}

  /**
   * The key, PEM. While Kick does not answer, an old one is used.
   * @param distrust the key that was kept did not fit: asks anew, though not more than once a minute
   * @throws AppError `kick.key`, operational, when there is none
   */
  async pem(distrust = false): Promise<string> {
    const now = this.parts.now();
    const { kept } = this;
    const isFresh = kept !== null && !distrust && now - kept.at < KEEP_MS;
    if (isFresh) return kept.pem;
    if (this.fetching === null && now - this.triedAt >= LEAST_MS) {
      this.triedAt = now;
      this.fetching = this.fetch().finally(() => {
        this.fetching = null;
      });
    }
    try {
      if (this.fetching !== null) return await this.fetching;
    } catch (error) {
      if (kept === null) throw unavailable(messageOf(error), error);
    }
    if (kept === null) throw unavailable('it was asked for less than a minute ago');
    return kept.pem;
  }

  private async fetch(): Promise<string> {
    const response = await this.parts.fetch(this.parts.url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const pem = Answer.parse(JSON.parse(await bounded(response))).data.public_key.trim();
    if (createPublicKey(pem).asymmetricKeyType !== 'rsa') throw new Error('it is no RSA key');
    this.kept = { pem, at: this.parts.now() };
    return pem;
  }
}

async function bounded(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length > BODY_LIMIT) throw new Error('its answer is too long');
  }
  return Buffer.concat(pieces).toString();
}

function unavailable(why: string, cause?: unknown): AppError {
  return new AppError(
    'kick.key',
    'operational',
    `The public key of Kick is not to be had (${why.slice(0, 200)}).`,
    {},
    { cause },
  );
}
