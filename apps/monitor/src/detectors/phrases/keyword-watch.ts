import type { KeywordRule } from '#libs/contracts/captures.js';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { compileInSlices } from '#libs/phrases/compile.js';
import type { PhraseHit } from '#libs/phrases/phrase-rule.js';
import type { PhraseIndex } from '#libs/phrases/phrase-index.js';
import { sameLanguage } from '#libs/phrases/language.js';

/** A keyword that was found. `start` and `end` are UTF-16 offsets in the text. */
export interface KeywordHit extends Pick<PhraseHit, 'start' | 'end' | 'view' | 'confidence'> {
  rule: KeywordRule;
}

/** A rule that is not looked for, and why. */
interface RefusedRule {
  label: string;
  reason: string;
}

/** How the phrase engine is doing. */
export interface PhraseState {
  state: 'ready' | 'degraded' | 'loading';
  detail: string;
}

/** Refused rules that are named. */
const MOST_NAMED = 3;

/** Rules that are compiled, by what they are looked for in. */
interface Compiled {
  chat: Keywords;
  speech: Keywords;
  refused: readonly RefusedRule[];
}

/** The keywords of the whole process: compiled beside the work, in force as soon as they are ready. */
export class KeywordWatch {
  readonly descriptor: AdapterDescriptor = { id: 'phrases', title: 'Words and phrases', options: {} };
  private compiled: Compiled = { chat: NO_KEYWORDS, speech: NO_KEYWORDS, refused: [] };
  private wanted: readonly KeywordRule[] = [];
  private building: Promise<void> | null = null;
  private readonly stopping = new AbortController();

  constructor(private readonly logger: Logger) {}

  /** Takes the rules of now. Until they are compiled, those of before stay in force. */
  update(rules: readonly KeywordRule[]): void {
    if (isSame(rules, this.wanted) || this.stopping.signal.aborted) return;
    this.wanted = rules;
    // What is being compiled is finished first: rules that change all the time must not keep all of them out.
    this.building ??= this.build().finally(() => (this.building = null));
  }

  /** Resolves when the newest rules are in force. */
  async settled(): Promise<void> {
    while (this.building !== null) await this.building;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.settled();
  }

  /** Keywords in a line of chat: the surest hit of each. */
  inChat(text: string): KeywordHit[] {
    const best = new Map<string, KeywordHit>();
    for (const hit of this.compiled.chat.match(text, false)) {
      const known = best.get(hit.rule.id);
      if (known === undefined || hit.confidence > known.confidence) best.set(hit.rule.id, hit);
    }
    return [...best.values()];
  }

  /**
   * Keywords in what was said: every hit that ends after `offset`. A rule for one language is not looked for in
   * another; where no language is known, it is.
   */
  inSpeech(text: string, offset: number, language: string | null): KeywordHit[] {
    return this.compiled.speech
      .match(text, true)
      .filter(({ end, rule }) => end > offset && (language === null || spokenIn(rule, language)));
  }

  state(): PhraseState {
    const { chat, speech, refused } = this.compiled;
    const detail = `${chat.size} rules for chat, ${speech.size} for speech.`;
    if (this.building !== null) return { state: 'loading', detail: `${detail} New ones are being compiled.` };
    if (refused.length === 0) return { state: 'ready', detail };
    const named = refused.slice(0, MOST_NAMED).map(({ label, reason }) => `"${label}" (${reason})`);
    const more = refused.length > MOST_NAMED ? ` and ${refused.length - MOST_NAMED} more` : '';
    return { state: 'degraded', detail: `${detail} Not looked for: ${named.join(', ')}${more}.` };
  }

  private async build(): Promise<void> {
    let done: readonly KeywordRule[] | null = null;
    while (done !== this.wanted) {
      const rules: readonly KeywordRule[] = this.wanted;
      const refused = new Map<string, RefusedRule>();
      try {
        const chat = await this.compile(
          rules.filter(({ appliesTo }) => appliesTo !== 'speech'),
          refused,
        );
        const speech = await this.compile(
          rules.filter(({ appliesTo }) => appliesTo !== 'chat'),
          refused,
        );
        this.compiled = { chat, speech, refused: [...refused.values()] };
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.logger.error({ error: messageOf(error) }, 'keywords could not be compiled; the last ones stay in force');
      }
      done = rules;
    }
    if (this.compiled.refused.length > 0) this.logger.warn({ refused: this.compiled.refused }, 'keywords left out');
  }

  private async compile(rules: readonly KeywordRule[], refused: Map<string, RefusedRule>): Promise<Keywords> {
    if (rules.length === 0) return NO_KEYWORDS;
    const byId = new Map(rules.map((rule) => [rule.id, rule]));
    let left = 0;
    const index = await compileInSlices(rules, {
      signal: this.stopping.signal,
      onRefused: ({ id }, error) => {
        left += 1;
        refused.set(id, { label: byId.get(id)?.label ?? id, reason: error.message.replace(`Rule ${id}: `, '') });
      },
    });
    return new Keywords(index, byId, rules.length - left);
  }
}

/** One index with the rules behind it. */
class Keywords {
  constructor(
    private readonly index: PhraseIndex | null,
    private readonly byId: ReadonlyMap<string, KeywordRule>,
    readonly size: number,
  ) {}

  match(text: string, speech: boolean): KeywordHit[] {
    if (this.index === null) return [];
    return this.index.match(text, { speech }).flatMap(({ rule: id, start, end, view, confidence }) => {
      const rule = this.byId.get(id);
      return rule === undefined ? [] : [{ rule, start, end, view, confidence }];
    });
  }
}

const NO_KEYWORDS = new Keywords(null, new Map(), 0);

function spokenIn({ language }: KeywordRule, spoken: string): boolean {
  return language === null || sameLanguage(language, spoken);
}

/** Whether two lists hold the same versions of the same rules in the same order. */
function isSame(rules: readonly KeywordRule[], others: readonly KeywordRule[]): boolean {
  return (
    rules.length === others.length &&
    rules.every(({ id, version }, index) => others[index]?.id === id && others[index].version === version)
  );
}
