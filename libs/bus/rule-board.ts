import { z } from 'zod';
import { RuleSet } from '#libs/contracts/captures.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import { HintPublisher, parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

/** The hint that a new rule set is on the board: its version. */
export const RulesHint = z.object({ version: z.number().int().nonnegative() });

/** Where the api leaves the current rule set for the monitors. */
export class RuleBoard {
  private readonly hints: HintPublisher;

  constructor(private readonly redis: RedisConnection) {
    this.hints = new HintPublisher(redis);
  }

  /** Puts a rule set up and tells the monitors. Idempotent, so the reconciler may repeat it. */
  async put(rules: RuleSet): Promise<void> {
    const text = JSON.stringify(RuleSet.parse(rules));
    await this.redis.mset(REDIS.rules, text, REDIS.rulesVersion, String(rules.version));
    await this.hints.publish(CHANNELS.rules, RulesHint, { version: rules.version });
  }

  /** Version of the rule set on the board, without reading the set; null when none is up. */
  async version(): Promise<number | null> {
    const [text, there] = await Promise.all([this.redis.get(REDIS.rulesVersion), this.redis.exists(REDIS.rules)]);
    if (there === 0) return null;
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  }

  /** The current rule set, null when none is up (a fresh or wiped Redis) or what is there does not fit. */
  async get(): Promise<RuleSet | null> {
    const text = await this.redis.get(REDIS.rules);
    const parsed = RuleSet.safeParse(text === null ? undefined : parseJson(text));
    return parsed.success ? parsed.data : null;
  }
}
