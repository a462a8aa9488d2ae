import type { HintSubscriber } from '#libs/bus/channels.js';
import { RulesHint, type RuleBoard } from '#libs/bus/rule-board.js';
import type { KeywordRule, ObjectRule, RuleSet, SignalRule, Zone } from '#libs/contracts/captures.js';
import { CHANNELS } from '#libs/contracts/names.js';
import type { Signal } from '#libs/contracts/primitives.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';

/** How often the board is asked for its version without a hint, ms: a lost hint must cost no more than two seconds. */
const POLL_MS = 1_500;

/** The rules as the api last put them up. Keeps what it has when Redis is away or wiped. */
export class RuleWatch {
  private rules: RuleSet = { v: 1, version: 0, objects: [], keywords: [], zones: [], signals: [] };
  private zonesByStream: ReadonlyMap<string, readonly Zone[]> = new Map();
  private timer: NodeJS.Timeout | null = null;
  private reading: Promise<void> | null = null;
  private isStale = false;

  /** @param onKeywords told of the keywords of each new rule set */
  constructor(
    private readonly board: Pick<RuleBoard, 'get' | 'version'>,
    private readonly logger: Logger,
    private readonly onKeywords: (keywords: readonly KeywordRule[]) => void = () => undefined,
  ) {}

  get objects(): readonly ObjectRule[] {
    return this.rules.objects;
  }

  /** The zones of one stream. */
  zonesOf(streamId: string): readonly Zone[] {
    return this.zonesByStream.get(streamId) ?? [];
  }

  /** How a signal is told; null when it is not. */
  signalRule(signal: Signal): SignalRule | null {
    return this.rules.signals.find((rule) => rule.signal === signal) ?? null;
  }

  /** Reads the board, then follows hints and asks for the version now and then. */
  async start(subscriber: Pick<HintSubscriber, 'on'>, pollMs = POLL_MS): Promise<void> {
    await subscriber.on(CHANNELS.rules, RulesHint, () => void this.refresh());
    await this.refresh();
    this.timer = setInterval(() => void this.refresh(), pollMs);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.isStale = false;
    await this.reading;
  }

  /** Asked while a reading is under way, it is read once more after it. */
  private refresh(): Promise<void> {
    this.isStale = true;
    return (this.reading ??= this.readAll().finally(() => (this.reading = null)));
  }

  private async readAll(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      try {
        await this.read();
      } catch (error) {
        this.logger.warn({ error: messageOf(error) }, 'the rules could not be read; the last ones stay in force');
      }
    }
  }

  private async read(): Promise<void> {
    const version = await this.board.version();
    if (version === null || version === this.rules.version) return;
    const rules = await this.board.get();
    if (rules === null || rules.version === this.rules.version) return;
    const zones = new Map<string, Zone[]>();
    for (const zone of rules.zones) {
      const mine = zones.get(zone.streamId);
      if (mine === undefined) zones.set(zone.streamId, [zone]);
      else mine.push(zone);
    }
    this.rules = rules;
    this.zonesByStream = zones;
    this.onKeywords(rules.keywords);
    const { objects, keywords } = rules;
    this.logger.info({ version, objects: objects.length, keywords: keywords.length }, 'rules read');
  }
}
