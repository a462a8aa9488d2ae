import pg from 'pg';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';

/**
 * One holder at a time among all processes on a database: a session-level advisory lock on a connection of its own.
 * The lock lives exactly as long as that connection does.
 */
export class LeaderLock {
  private client: pg.Client | null = null;
  private onLost: () => void = () => undefined;

  /** @param key any number that no other lock on the database uses. */
  constructor(
    private readonly url: string,
    private readonly key: number,
    private readonly logger: Logger,
  ) {}

  /** Whether the lock is held as far as this process knows. */
  get isHeld(): boolean {
    return this.client !== null;
  }

  /**
   * Tries once to become the holder.
   * @param onLost called once, when the connection, and so the lock, is lost.
   * @throws when the database cannot be reached.
   */
  async tryAcquire(onLost: () => void): Promise<boolean> {
    if (this.client !== null) return true;
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'vigil-leader-lock',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', (error) => this.lose(client, messageOf(error)));
    client.on('end', () => this.lose(client, 'connection ended'));
    try {
      await client.connect();
      const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [this.key]);
      if (rows[0]?.held === true) {
        this.client = client;
        this.onLost = onLost;
        return true;
      }
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    await client.end();
    return false;
  }

  /** Asks over the lock's connection whether it still stands; a dead one is noticed and reported as lost. */
  async check(): Promise<boolean> {
    const { client } = this;
    if (client === null) return false;
    try {
      await client.query('SELECT 1');
    } catch (error) {
      this.lose(client, messageOf(error));
    }
    return this.isHeld;
  }

  /** Gives the lock up. */
  async release(): Promise<void> {
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private lose(client: pg.Client, reason: string): void {
    if (this.client !== client) return;
    this.client = null;
    this.logger.warn({ reason, lock: this.key }, 'this process leads no longer: its lock was lost');
    void client.end().catch(() => undefined);
    this.onLost();
  }
}
