import type { ObjectRule } from '#libs/contracts/captures.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { ObjectPipeline } from './object-pipeline.js';
import type { Closed, Opened, PipelineOptions } from './pipeline.types.js';

const STREAM = '4be0643f-1d98-473b-97cd-ca98a65347dd';

/** What the one-by-one clip shows: six persons, and glimpses that are wrong, in seconds. */
const PERSONS = [
  [6.5, 18.5],
  [23, 44],
  [50.5, 69],
  [74.5, 86],
  [93, 119],
  [123.5, 135.5],
] as const;
const GLIMPSES: Record<string, readonly (readonly [number, number])[]> = {
  tvmonitor: [
    [21, 21.5],
    [71, 71.5],
    [108, 108],
    [125.5, 125.5],
    [136, 136.5],
    [139, 139],
  ],
  frisbee: [
    [67, 67],
    [85.5, 85.5],
  ],
  dog: [[92.5, 92.5]],
};

let ruleNumber = 0;
function rule(label: string, changes: Partial<ObjectRule> = {}): ObjectRule {
  ruleNumber += 1;
  const id = `00000000-0000-4000-8000-${String(ruleNumber).padStart(12, '0')}`;
  return { id, version: 1, label, threshold: 0.45, severity: 'high', cooldownMs: 0, ...changes };
}

function object(label: string, score: number): DetectedObject {
  return { label, score, box: [1, 2, 30, 40] };
}

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A pipeline under test that answers every opening and keeps what came out. */
class Rig {
  readonly opened: Opened[] = [];
  readonly closed: Closed[] = [];
  suppressed = 0;
  readonly pipeline: ObjectPipeline;
  answer: 'commit' | 'refuse' | 'none' = 'commit';

  constructor(
    public rules: ObjectRule[],
    options: Partial<PipelineOptions> = {},
  ) {
    this.pipeline = new ObjectPipeline(STREAM, 7, options);
  }

  see(seconds: number, ...objects: DetectedObject[]): void {
    const streamTimeMs = Math.round(seconds * 1000);
    const sample = { streamTimeMs, wallTimeMs: 1_700_000_000_000 + streamTimeMs, ptsMs: streamTimeMs, objects };
    const result = this.pipeline.inspect(sample, this.rules);
    this.opened.push(...result.opened);
    this.closed.push(...result.closed);
    this.suppressed += result.suppressed;
    for (const { eventId } of result.opened) {
      if (this.answer === 'commit') this.pipeline.committed(eventId);
      if (this.answer === 'refuse') this.pipeline.refused(eventId);
    }
  }

  /** Shows a label once a second over a span, ends included. */
  show(label: string, from: number, to: number, score = 0.8): void {
    for (let t = from; t <= to; t += 1) this.see(t, object(label, score));
  }

  blank(from: number, to: number): void {
    for (let t = from; t <= to; t += 1) this.see(t);
  }
}

/** Plays the clip at a rate, leaving out persons in single samples at random, never two in a row. */
function playClip(rate: number, seed: number): Rig {
  const chance = random(seed);
  const rig = new Rig(['person', 'tvmonitor', 'frisbee', 'dog'].map((label) => rule(label)));
  let dropped = false;
  for (let t = 0; t <= 142; t += 1 / rate) {
    const objects: DetectedObject[] = [];
    if (PERSONS.some(([from, to]) => t >= from && t <= to)) {
      const span = PERSONS.find(([from, to]) => t >= from && t <= to) ?? [0, 0];
      const edge = t - span[0] < 2 / rate || span[1] - t < 2 / rate;
      dropped = !dropped && !edge && chance() < 0.3;
      if (!dropped) objects.push(object('person', 0.46 + chance() * 0.4));
      // A flicker shows as a weak score as often as not at all.
      else if (chance() < 0.5) objects.push(object('person', 0.3 + chance() * 0.1));
    }
    for (const [label, spans] of Object.entries(GLIMPSES)) {
      if (spans.some(([from, to]) => t >= from && t <= to)) objects.push(object(label, 0.5 + chance() * 0.2));
    }
    rig.see(t, ...objects);
  }
  rig.closed.push(...rig.pipeline.end());
  return rig;
}

describe('ObjectPipeline on the one-by-one clip', () => {
  it.each([1, 2, 5])('reports exactly the six persons at %d samples a second, whatever flickers', (rate) => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { opened, closed } = playClip(rate, seed);
      expect({ seed, labels: opened.map(({ rule: { label } }) => label) }).toEqual({
        seed,
        labels: PERSONS.map(() => 'person'),
      });
      expect(closed.map(({ eventId }) => eventId)).toEqual(opened.map(({ eventId }) => eventId));
      PERSONS.forEach(([from, to], index) => {
        const { startedStreamMs = 0, endedStreamMs = 0 } = closed[index] ?? {};
        expect(Math.abs(startedStreamMs / 1000 - from)).toBeLessThanOrEqual(2);
        expect(Math.abs(endedStreamMs / 1000 - to)).toBeLessThanOrEqual(2);
      });
    }
  });
});

describe('ObjectPipeline', () => {
  it('does not open on one sample, nor on two that are too close in time', () => {
    const rig = new Rig([rule('person')]);
    rig.see(1, object('person', 0.9));
    rig.blank(2, 6);
    rig.see(7, object('person', 0.9));
    rig.see(7.5, object('person', 0.9));
    rig.blank(8, 12);
    expect(rig.opened).toEqual([]);
  });

  it('opens on the second hit of three samples, with the frame that confirmed it as evidence', () => {
    const rig = new Rig([rule('person')]);
    rig.see(1, object('person', 0.6));
    rig.see(2);
    rig.see(3, object('person', 0.5), object('cat', 0.9), object('person', 0.8), object('person', 0.2));
    expect(rig.opened).toHaveLength(1);
    expect(rig.opened[0]).toMatchObject({ confidence: 0.8, startedStreamMs: 1000, ptsMs: 3000 });
    expect(rig.opened[0]?.objects.map(({ score }) => score)).toEqual([0.8, 0.5]);
    expect((rig.opened[0]?.detectedAt ?? 0) - (rig.opened[0]?.startedAt ?? 0)).toBe(2000);
  });

  it('keeps an appearance open on weaker scores than it opens on', () => {
    const rig = new Rig([rule('person', { threshold: 0.5 })]);
    rig.show('person', 1, 3, 0.6);
    rig.show('person', 4, 20, 0.41);
    expect(rig.closed).toEqual([]);
    rig.show('person', 21, 24, 0.39);
    expect(rig.closed).toHaveLength(1);
    expect(rig.closed[0]).toMatchObject({ endedStreamMs: 20_000, frames: 20, peakConfidence: 0.6 });
    const never = new Rig([rule('person', { threshold: 0.5 })]);
    never.show('person', 1, 30, 0.45);
    expect(never.opened).toEqual([]);
  });

  it('needs both the time and two samples without a sight before it closes', () => {
    const rig = new Rig([rule('person')]);
    rig.show('person', 1, 3);
    rig.see(20);
    expect(rig.closed).toEqual([]);
    rig.see(20.5);
    expect(rig.closed).toHaveLength(1);
  });

  it('counts two people at once as one appearance', () => {
    const rig = new Rig([rule('person')]);
    rig.show('person', 1, 3);
    for (let t = 4; t < 20; t += 1) rig.see(t, object('person', 0.9), object('person', 0.7));
    rig.show('person', 20, 30);
    expect(rig.opened).toHaveLength(1);
  });

  it('suppresses and counts an appearance inside the cooldown, which runs from the opening', () => {
    const rig = new Rig([rule('person', { cooldownMs: 20_000 })]);
    rig.show('person', 1, 4);
    rig.blank(5, 9);
    rig.show('person', 10, 14);
    rig.blank(15, 20);
    expect(rig.opened).toHaveLength(1);
    expect(rig.suppressed).toBe(1);
    rig.show('person', 23, 26);
    expect(rig.opened).toHaveLength(2);
  });

  it('opens an appearance that outlasts the cooldown as soon as that is over', () => {
    const rig = new Rig([rule('person', { cooldownMs: 20_000 })]);
    rig.show('person', 1, 4);
    rig.blank(5, 9);
    rig.show('person', 10, 40);
    expect(rig.opened.map(({ startedStreamMs }) => startedStreamMs)).toEqual([1000, 10_000]);
    expect(rig.opened[1]?.ptsMs).toBe(22_000);
    expect(rig.suppressed).toBe(0);
  });

  it('starts no cooldown for an event that was refused, and reports it again under the same id', () => {
    const rig = new Rig([rule('person', { cooldownMs: 60_000 })]);
    rig.answer = 'refuse';
    rig.show('person', 1, 4);
    expect(rig.opened).toHaveLength(3);
    rig.answer = 'commit';
    rig.show('person', 5, 8);
    expect(rig.opened).toHaveLength(4);
    expect(new Set(rig.opened.map(({ eventId }) => eventId)).size).toBe(1);
    rig.blank(9, 14);
    rig.show('person', 15, 18);
    expect(rig.opened).toHaveLength(4);
  });

  it('opens nothing more while an event is undecided', () => {
    const rig = new Rig([rule('person')]);
    rig.answer = 'none';
    rig.show('person', 1, 4);
    rig.blank(5, 9);
    rig.show('person', 10, 14);
    expect(rig.opened).toHaveLength(1);
    expect(rig.closed).toHaveLength(1);
  });

  it('closes what is open when its rule goes, and knows nothing of it afterwards', () => {
    const rig = new Rig([rule('person'), rule('dog')]);
    for (let t = 1; t < 5; t += 1) rig.see(t, object('person', 0.8), object('dog', 0.8));
    rig.rules = rig.rules.slice(1);
    rig.see(5, object('person', 0.8), object('dog', 0.8));
    expect(rig.closed.map(({ rule: { label } }) => label)).toEqual(['person']);
    expect(rig.closed[0]?.endedStreamMs).toBe(4000);
    expect(rig.pipeline.remembered).toBe(1);
  });

  it('goes on with an open appearance when its rule gets a new threshold', () => {
    const rig = new Rig([rule('person')]);
    rig.show('person', 1, 4);
    rig.rules = rig.rules.map((old) => ({ ...old, version: 2, threshold: 0.95 }));
    rig.show('person', 5, 7);
    expect(rig.closed).toEqual([]);
    rig.show('person', 8, 12, 0.5);
    expect(rig.closed[0]).toMatchObject({ endedStreamMs: 7000, rule: { version: 2 } });
  });

  it.each([
    ['backward', 1],
    ['forward by more than 30 s', 60],
  ])('ends every appearance when time jumps %s, and gives the next one another id', (_name, at) => {
    const rig = new Rig([rule('person')]);
    rig.show('person', 1, 5);
    rig.show('person', at, at + 4);
    expect(rig.closed).toHaveLength(1);
    expect(rig.closed[0]?.endedStreamMs).toBe(5000);
    expect(rig.opened).toHaveLength(2);
    expect(new Set(rig.opened.map(({ eventId }) => eventId)).size).toBe(2);
  });

  it('does not let a clock that was set back stretch a cooldown', () => {
    const rig = new Rig([rule('person', { cooldownMs: 10_000 })]);
    rig.show('person', 10_001, 10_003);
    rig.show('person', 1, 20);
    expect(rig.opened.map(({ ptsMs }) => ptsMs)).toEqual([10_002_000, 10_000]);
  });

  it('names the same appearance alike in two pipelines, and another session otherwise', () => {
    const rules = [rule('person')];
    const ids = [7, 7, 8].map((session) => {
      const pipeline = new ObjectPipeline(STREAM, session);
      const seen = [1000, 2000].flatMap(
        (streamTimeMs) =>
          pipeline.inspect({ streamTimeMs, wallTimeMs: 5, ptsMs: 0, objects: [object('person', 0.9)] }, rules).opened,
      );
      return seen[0]?.eventId;
    });
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('remembers only rules that have something to remember, over a day of noise', () => {
    const chance = random(5);
    const labels = Array.from({ length: 40 }, (_, index) => `label-${String(index)}`);
    const rig = new Rig(labels.map((label) => rule(label, { cooldownMs: 5_000 })));
    for (let t = 0; t < 86_400; t += 2) {
      rig.see(t, ...labels.filter(() => chance() < 0.01).map((label) => object(label, chance())));
    }
    const open = rig.opened.length - rig.closed.length;
    for (let t = 86_400; t < 86_420; t += 1) rig.see(t);
    expect(open).toBeLessThan(10);
    expect(rig.opened.length).toBe(rig.closed.length);
    expect(rig.pipeline.remembered).toBe(0);
  });

  it('ends what is open when the session ends', () => {
    const rig = new Rig([rule('person')]);
    rig.show('person', 1, 4);
    expect(rig.pipeline.end()).toHaveLength(1);
    expect(rig.pipeline.end()).toEqual([]);
  });
});
