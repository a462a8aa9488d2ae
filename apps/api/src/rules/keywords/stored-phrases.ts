import { Injectable } from '@nestjs/common';
import type { KeywordRule } from '#libs/contracts/captures.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { isFor, phraseRuleOf } from './phrase-rules.js';
import { SteppedIndex } from './stepped-index.js';

/** The enabled keywords of one version for chat or for speech, ready to be matched. */
export interface StoredIndex {
  readonly version: number;
  readonly index: SteppedIndex;
  readonly rules: ReadonlyMap<string, KeywordRule>;
}

/** Compiles the stored keywords when somebody asks, and keeps them until the rules change. */
@Injectable()
export class StoredPhrases {
  private readonly chat: Slot;
  private readonly speech: Slot;

  constructor(private readonly ruleSets: RuleSetRepository) {
    this.chat = new Slot(ruleSets, false);
    this.speech = new Slot(ruleSets, true);
  }

  /** The index of the rules as they are now. Building it lets others run in between. */
  async current(speech: boolean): Promise<StoredIndex> {
    const slot = speech ? this.speech : this.chat;
    return slot.atLeast(await this.ruleSets.version());
  }
}

/** One index, built by one run at a time. */
class Slot {
  private built: StoredIndex | null = null;
  private building: Promise<StoredIndex> | null = null;

  constructor(
    private readonly ruleSets: RuleSetRepository,
    private readonly speech: boolean,
  ) {}

  async atLeast(version: number): Promise<StoredIndex> {
    for (;;) {
      if (this.built !== null && this.built.version >= version) return this.built;
      this.building ??= this.build().finally(() => {
        this.building = null;
      });
      await this.building;
    }
  }

  private async build(): Promise<StoredIndex> {
    const { version, keywords } = await this.ruleSets.keywords();
    const rules = keywords.filter((keyword) => isFor(keyword, this.speech));
    // The limits hold for what is stored; a rule that an older release took and this one refuses is left out.
    const phrases = rules.map((rule) => phraseRuleOf(rule.id, rule));
    const index = await SteppedIndex.build(phrases, () => undefined);
    this.built = { version, index, rules: new Map(rules.map((rule) => [rule.id, rule])) };
    return this.built;
  }
}
