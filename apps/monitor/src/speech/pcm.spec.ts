import { LevelGate } from './level-gate.js';
import { bytesOf, FRAME_MS, FRAME_SAMPLES, FrameCutter, levelOf, samplesOf } from './pcm.js';
import { made } from './sound.fixture.js';

it('reads and writes little-endian samples, wherever they lie', () => {
  const samples = Int16Array.of(0, 1, -1, 32_767, -32_768);
  const shifted = Buffer.concat([Buffer.of(9), bytesOf(samples)]).subarray(1);
  expect([...samplesOf(shifted)]).toEqual([...samples]);
});

it('measures levels in dB below a full-scale square wave', () => {
  expect(levelOf(made(1, () => 1))).toBeCloseTo(0, 2);
  expect(levelOf(made(1, (at) => 0.1 * Math.sin(2 * Math.PI * 440 * at)))).toBeCloseTo(-23.01, 1);
  expect(levelOf(new Int16Array(FRAME_SAMPLES))).toBe(-Infinity);
});

it.each([1, 100, 511, 512, 513, 5_000])('cuts the same frames out of pieces of %d samples', (size) => {
  const cutter = new FrameCutter();
  const sound = Int16Array.from({ length: 3 * FRAME_SAMPLES + 10 }, (_, index) => index);
  const cut = [];
  for (let at = 0; at < sound.length; at += size) {
    cut.push(...cutter.push({ startMs: 1_000 + at / 16, samples: sound.subarray(at, at + size) }));
  }
  expect(cut.map(({ startMs }) => startMs)).toEqual([1_000, 1_000 + FRAME_MS, 1_000 + 2 * FRAME_MS]);
  expect(cut.flatMap(({ samples }) => [...samples])).toEqual([...sound.subarray(0, 3 * FRAME_SAMPLES)]);
});

it('starts a frame anew after a gap, so that none holds sound of two times', () => {
  const cutter = new FrameCutter();
  expect(cutter.push({ startMs: 0, samples: new Int16Array(500) })).toEqual([]);
  const [frame] = cutter.push({ startMs: 9_000, samples: new Int16Array(FRAME_SAMPLES) });
  expect(frame?.startMs).toBe(9_000);
});

it('the gate opens at -45 dBFS and holds through pauses', () => {
  const gate = new LevelGate();
  expect([gate.pass(-45.1), gate.pass(-45), gate.pass(-60)]).toEqual(['shut', 'opened', 'open']);
  const states = Array.from({ length: 30 }, () => gate.pass(-60));
  expect(states.indexOf('shut') * FRAME_MS).toBeGreaterThan(500);
  expect(states.at(-1)).toBe('shut');
});
