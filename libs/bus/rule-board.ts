import { z } from 'zod';
import { KeywordRule, RuleSet } from '#libs/contracts/captures.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import { HintPublisher, parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

/** The hint that a new rule set is on the board: its version. */
export const RulesHint = z.object({ version: z.number().int().nonnegative() });

/** Keywords that are checked at a stretch; each takes some microseconds. */
const SLICE = 500;

/** A rule set whose keywords are yet to be checked; no more of them than the contract takes. */
const Unchecked = z.looseObject({ keywords: z.array(z.unknown()).max(50_000) });

/** Where the api leaves the current rule set for the monitors. */
export class RuleBoard {
  private readonly hints: HintPublisher;

  constructor(private readonly redis: RedisConnection) {
    this.hints = new HintPublisher(redis);
  }

  /** Puts a rule set up and tells the monitors. Idempotent, so the reconciler may repeat it. */
  async put(rules: RuleSet): Promise<void> {
    const text = JSON.stringify(await parseInSlices(rules));
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
    return text === null ? null : parseInSlices(parseJson(text)).catch(() => null);
  }
}

/**
 * Checks a rule set some hundred keywords at a time: 50,000 of them at once would keep the thread for half a second.
 * @throws ZodError
 */
async function parseInSlices(rules: unknown): Promise<RuleSet> {
  const { keywords, ...others } = Unchecked.parse(rules);
  const set = RuleSet.parse({ ...others, keywords: [] });
  for (let from = 0; from < keywords.length; from += SLICE) {
    for (const keyword of keywords.slice(from, from + SLICE)) set.keywords.push(KeywordRule.parse(keyword));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return set;
}
