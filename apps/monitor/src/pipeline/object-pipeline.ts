import type { ObjectRule, SessionMemory } from '#libs/contracts/captures.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { Appearance } from './appearance.js';
import { eventId } from './event-id.js';
import {
  PIPELINE_DEFAULTS,
  type Closed,
  type Inspection,
  type Opened,
  type PipelineOptions,
  type Sample,
} from './pipeline.types.js';

/** Objects that one event carries at most, as the contract says. */
const MOST_OBJECTS = 300;

/** What a pipeline knows of one rule on its stream. It is dropped as soon as there is nothing to remember. */
interface RuleState {
  rule: ObjectRule;
  appearance: Appearance | null;
  /** The event reported for the current appearance; null while it has none. */
  event: { eventId: string } | null;
  /** The event that was reported and is neither committed nor refused yet. */
  undecided: { eventId: string; openedStreamMs: number } | null;
  /** Stream time up to which no further event may open. */
  cooldownUntilMs: number;
}

/** What a session knew of one rule at its end. */
type Remembered = SessionMemory['rules'][number];

/**
 * Turns what a detector sees on one stream into events: one for each appearance of a label that is watched for.
 *
 * An event is about a label, not about an individual. At about one inspected frame a second two people who cross
 * cannot be told apart honestly, so a second person who joins the first belongs to the same appearance; how many
 * there were is in the event's `objects`.
 *
 * Pure: no clock, no I/O. Time is the stream time of the samples. Every {@link Opened} must be answered by
 * {@link committed} once its fact is on the disk, or by {@link refused}: cooldown runs only for events that exist.
 * An appearance inside the cooldown has no event; one that outlasts it opens when it is over, for the watch list
 * asks whether something is there. Memory: one small state per rule that has something to remember.
 */
export class ObjectPipeline {
  private readonly states = new Map<string, RuleState>();
  private readonly options: PipelineOptions;
  private firstMs: number | null = null;
  private lastMs: number | null = null;
  /** Wall time less stream time of the last sample, ms. */
  private wallAheadMs = 0;
  private epoch = 0;

  constructor(
    private readonly streamId: string,
    private readonly session: number,
    options: Partial<PipelineOptions> = {},
  ) {
    this.options = { ...PIPELINE_DEFAULTS, ...options };
  }

  /**
   * Takes in one sample under the rules of that moment. A sample with the time of the one before it is left out.
   * Stream time that runs backward, or forward by more than `jumpMs`, ends every appearance first.
   */
  inspect(sample: Sample, rules: readonly ObjectRule[]): Inspection {
    const result: Inspection = { opened: [], closed: [], suppressed: 0 };
    if (sample.streamTimeMs === this.lastMs) return result;
    this.noticeJump(sample.streamTimeMs, result);
    this.firstMs ??= sample.streamTimeMs;
    this.lastMs = sample.streamTimeMs;
    this.wallAheadMs = sample.wallTimeMs - sample.streamTimeMs;
    this.dropUnruled(rules, result);
    const seen = byLabel(sample.objects);
    for (const rule of rules) this.apply(sample, rule, seen.get(rule.label.toLowerCase()) ?? [], result);
    return result;
  }

  /** Ends every appearance: the session is over. */
  end(): Closed[] {
    const result: Inspection = { opened: [], closed: [], suppressed: 0 };
    for (const state of this.states.values()) endAppearance(state, result);
    this.states.clear();
    return result.closed;
  }

  /** The event is safe: its rule cools down from the moment it opened. */
  committed(id: string): void {
    const state = this.stateOf(id);
    if (state?.undecided === undefined || state.undecided === null) return;
    state.cooldownUntilMs = state.undecided.openedStreamMs + state.rule.cooldownMs;
    state.undecided = null;
  }

  /** The event could not be kept: it never was; while its appearance lasts it is reported again, under the same id. */
  refused(id: string): void {
    const state = this.stateOf(id);
    if (state === undefined) return;
    state.undecided = null;
    if (state.event?.eventId === id) state.event = null;
  }

  /** What lasts and what cools down at this moment, in wall time: before {@link end}. */
  memory(): Remembered[] {
    return [...this.states.values()].flatMap(({ rule, appearance, event, undecided, cooldownUntilMs }) => {
      // What could not be kept so far was never reported.
      const eventId = undecided === null ? (event?.eventId ?? null) : null;
      const cools = cooldownUntilMs > (this.lastMs ?? 0);
      if (eventId === null && !cools) return [];
      const seenAt = appearance?.seenAt ?? 0;
      const cooldownUntil = cools ? Math.max(0, Math.round(cooldownUntilMs + this.wallAheadMs)) : 0;
      return [{ ruleId: rule.id, eventId, seenAt, cooldownUntil }];
    });
  }

  /**
   * Whether an {@link Opened} is no news after what the session before knew of its rule: the appearance that lasted then
   * goes on under its old event, and a cooldown that had begun holds. Then it is answered by this.
   */
  recognised(opened: Opened, known: Remembered): boolean {
    const state = this.stateOf(opened.eventId);
    const { absenceMs } = this.options;
    // Of the time between two sessions nothing is known: what was there at the end and is there at the beginning stayed.
    const sinceFirstMs = opened.startedStreamMs - (this.firstMs ?? 0);
    const isAtOnce = sinceFirstMs <= absenceMs || opened.startedAt - known.seenAt <= absenceMs;
    const goesOn = known.eventId !== null && isAtOnce;
    if (state === undefined || !(goesOn || opened.startedAt < known.cooldownUntil)) return false;
    state.undecided = null;
    state.event = goesOn && known.eventId !== null ? { eventId: known.eventId } : null;
    state.cooldownUntilMs = Math.max(state.cooldownUntilMs, known.cooldownUntil - this.wallAheadMs);
    return true;
  }

  /** Whether nothing is in doubt: whatever appeared is confirmed and was seen in the last sample. */
  get isSettled(): boolean {
    for (const { appearance } of this.states.values()) if (appearance?.isSteady === false) return false;
    return true;
  }

  /** How many rules have something remembered, for tests of its bounds. */
  get remembered(): number {
    return this.states.size;
  }

  private apply(sample: Sample, rule: ObjectRule, objects: readonly DetectedObject[], result: Inspection): void {
    const score = objects[0]?.score ?? null;
    const state = this.states.get(rule.id) ?? fresh(rule);
    state.rule = rule;
    if (state.appearance === null && score !== null && score >= rule.threshold) {
      state.appearance = new Appearance(this.options);
    }
    state.appearance?.add(sample, score, rule.threshold);
    if (state.appearance?.isForgotten === true) state.appearance = null;
    if (state.appearance?.isConfirmed === true) {
      if (state.appearance.isOver(sample.streamTimeMs)) endAppearance(state, result);
      else this.open(sample, state, objects, result);
    }
    const idle = state.appearance === null && state.undecided === null && state.cooldownUntilMs <= sample.streamTimeMs;
    if (idle) this.states.delete(rule.id);
    else this.states.set(rule.id, state);
  }

  private open(sample: Sample, state: RuleState, objects: readonly DetectedObject[], result: Inspection): void {
    const { rule } = state;
    const start = state.appearance?.start ?? null;
    const mayOpen = state.event === null && state.undecided === null && state.cooldownUntilMs <= sample.streamTimeMs;
    const evidence = objects.filter(({ score }) => score >= rule.threshold).slice(0, MOST_OBJECTS);
    const best = evidence[0];
    if (!mayOpen || start === null || best === undefined) return;
    const id = eventId({
      streamId: this.streamId,
      session: this.session,
      epoch: this.epoch,
      ruleId: rule.id,
      startedStreamMs: start.startedStreamMs,
    });
    state.event = { eventId: id };
    state.undecided = { eventId: id, openedStreamMs: sample.streamTimeMs };
    const opened: Opened = {
      eventId: id,
      rule,
      confidence: best.score,
      objects: evidence,
      ...start,
      detectedAt: sample.wallTimeMs,
      ptsMs: sample.ptsMs,
    };
    result.opened.push(opened);
  }

  private noticeJump(streamTimeMs: number, result: Inspection): void {
    if (this.lastMs === null) return;
    const step = streamTimeMs - this.lastMs;
    if (step > 0 && step <= this.options.jumpMs) return;
    this.epoch += 1;
    for (const state of this.states.values()) {
      endAppearance(state, result);
      // A clock that was set back must not stretch a cooldown: what was left of it is left still.
      if (step < 0) state.cooldownUntilMs += step;
      if (step < 0 && state.undecided !== null) state.undecided.openedStreamMs += step;
    }
  }

  private dropUnruled(rules: readonly ObjectRule[], result: Inspection): void {
    if (this.states.size === 0) return;
    const labels = new Map(rules.map((rule) => [rule.id, rule.label]));
    for (const [id, state] of this.states) {
      if (labels.get(id) === state.rule.label) continue;
      endAppearance(state, result);
      this.states.delete(id);
    }
  }

  private stateOf(id: string): RuleState | undefined {
    for (const state of this.states.values()) if (state.undecided?.eventId === id) return state;
    return undefined;
  }
}

function fresh(rule: ObjectRule): RuleState {
  return { rule, appearance: null, event: null, undecided: null, cooldownUntilMs: Number.NEGATIVE_INFINITY };
}

function endAppearance(state: RuleState, result: Inspection): void {
  const { appearance, event, rule } = state;
  if (appearance?.isConfirmed === true) {
    if (event === null) result.suppressed += 1;
    else result.closed.push(appearance.close(event.eventId, rule));
  }
  state.appearance = null;
  state.event = null;
}

/** The objects by label in lower case, best first. */
function byLabel(objects: readonly DetectedObject[]): Map<string, DetectedObject[]> {
  const groups = new Map<string, DetectedObject[]>();
  for (const object of objects) {
    const label = object.label.toLowerCase();
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [object]);
    else group.push(object);
  }
  for (const group of groups.values()) group.sort((a, b) => b.score - a.score);
  return groups;
}
