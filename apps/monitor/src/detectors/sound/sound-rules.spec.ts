import { SoundRules, type SoundEvent } from './sound-rules.js';
import { soundSample, type SoundSample } from './sound-sample.js';

const STEP_MS = 32;

/** A stream's sound, part by part, with the picture going on throughout. */
class Stream {
  readonly rules = new SoundRules();
  readonly events: SoundEvent[] = [];
  private atMs = 0;

  sound(seconds: number, part: Partial<SoundSample> = {}): this {
    for (const endMs = this.atMs + seconds * 1_000; this.atMs < endMs; this.atMs += STEP_MS) {
      const times = { startMs: this.atMs, endMs: this.atMs + STEP_MS };
      this.events.push(...this.rules.hear({ levelDbfs: -25, clipped: 0, speech: 0, ...part, ...times }));
      this.events.push(...this.rules.tick(this.atMs));
    }
    return this;
  }

  none(seconds: number): this {
    for (const endMs = this.atMs + seconds * 1_000; this.atMs < endMs; this.atMs += 1_000) {
      this.events.push(...this.rules.tick(this.atMs));
    }
    this.events.push(...this.rules.tick(this.atMs));
    return this;
  }

  /** [kind, change, start in whole seconds]. */
  get told(): [string, string, number][] {
    return this.events.map(({ kind, change, startedStreamMs }) => [kind, change, Math.round(startedStreamMs / 1_000)]);
  }
}

const silence = { levelDbfs: -Infinity };

describe('SoundRules', () => {
  it('says nothing of ordinary sound', () => {
    const stream = new Stream();
    for (let turn = 0; turn < 10; turn += 1) stream.sound(5, { speech: 0.9 }).sound(9, silence).sound(2);
    expect(stream.events.filter(({ kind }) => kind !== 'speech_activity')).toEqual([]);
  });

  it('tells dead air once after 10 s, and its end', () => {
    const stream = new Stream().sound(5).sound(30, silence);
    expect(stream.told).toEqual([['dead_air', 'opened', 5]]);
    // Noise between the two thresholds neither ends it nor makes it two.
    stream.sound(5, { levelDbfs: -57 }).sound(10, silence).sound(5);
    expect(stream.told.slice(1)).toEqual([['dead_air', 'closed', 5]]);
    expect(stream.events[1]?.endedStreamMs).toBeCloseTo(50_000, -3);
  });

  it('tells lost audio after 5 s by the picture alone, and its return; a stream that never had any lost none', () => {
    expect(new Stream().none(60).events).toEqual([]);
    const stream = new Stream().sound(5).none(20);
    expect(stream.told).toEqual([['audio_lost', 'opened', 5]]);
    stream.sound(0.5);
    expect(stream.told).toHaveLength(1);
    stream.sound(2);
    expect(stream.told.slice(1)).toEqual([['audio_lost', 'closed', 5]]);
  });

  it('tells clipping that lasts, not one clap', () => {
    const stream = new Stream().sound(5).sound(0.1, { clipped: 0.05 }).sound(5);
    expect(stream.events).toEqual([]);
    stream.sound(3, { clipped: 0.05 }).sound(1).sound(3, { clipped: 0.05 }).sound(5);
    expect(stream.told).toEqual([
      ['clipping', 'opened', 10],
      ['clipping', 'closed', 10],
    ]);
  });

  it('tells a jump of loudness against what went before, once, and none at the first sound or after silence', () => {
    const stream = new Stream().sound(8, silence).sound(20, { levelDbfs: -30 }).sound(5, silence);
    stream.sound(10, { levelDbfs: -30 });
    expect(stream.events).toEqual([]);
    stream.sound(30, { levelDbfs: -12 });
    expect(stream.told.map(([kind, change]) => [kind, change])).toEqual([
      ['loudness_jump', 'opened'],
      ['loudness_jump', 'closed'],
    ]);
    expect(stream.events[0]?.startedStreamMs).toBeGreaterThan(43_000);
    expect(stream.events[0]?.startedStreamMs).toBeLessThan(44_100);
  });

  it('tells speech that fills half of 30 s, and its end below a third', () => {
    const stream = new Stream();
    for (let turn = 0; turn < 12; turn += 1) stream.sound(3, { speech: 0.9 }).sound(1);
    expect(stream.told.map(([kind, change]) => [kind, change])).toEqual([['speech_activity', 'opened']]);
    stream.sound(40);
    expect(stream.events.map(({ change }) => change)).toEqual(['opened', 'closed']);
    expect(new Stream().sound(60, { speech: null }).events).toEqual([]);
  });

  it('ends what lasts when the stream ends or its sound has a gap', () => {
    const stream = new Stream().sound(20, silence).none(2).sound(3);
    expect(stream.told).toEqual([
      ['dead_air', 'opened', 0],
      ['dead_air', 'closed', 0],
    ]);
    stream.none(10);
    expect(stream.rules.open()).toEqual(['audio_lost']);
    expect(stream.rules.close(40_000)).toMatchObject([{ kind: 'audio_lost', change: 'closed' }]);
    expect(stream.rules.open()).toEqual([]);
  });
});

it('measures how much of a frame is at full scale', () => {
  const frame = { startMs: 10, samples: Int16Array.of(0, 32_767, -32_768, 100), levelDbfs: -3, speech: null };
  expect(soundSample(frame)).toEqual({ startMs: 10, endMs: 10.25, levelDbfs: -3, speech: null, clipped: 0.5 });
});
