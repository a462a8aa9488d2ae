import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SoundRules, type SoundKind } from '../../apps/monitor/src/detectors/sound/sound-rules.js';
import { soundSample } from '../../apps/monitor/src/detectors/sound/sound-sample.js';
import { levelOf } from '../../apps/monitor/src/speech/pcm.js';
import { currentFfmpeg } from '../services/ffmpeg.js';
import { ROUND_SECONDS, aacFrames, soundArguments } from './loop-sound.js';

const run = promisify(execFile);
/** 16 kHz, in frames of 512 samples: what the monitor listens to. */
const [RATE, FRAME] = [16_000, 512];

describe("the sound of the demo's stream", () => {
  let pcm: Int16Array;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vigil-sound-'));
    const { path: ffmpeg } = await currentFfmpeg();
    const [encoded, decoded] = [join(folder, 'sound.aac'), join(folder, 'sound.raw')];
    await run(ffmpeg, [...soundArguments(2 * ROUND_SECONDS), encoded]);
    await run(ffmpeg, ['-v', 'error', '-i', encoded, '-ac', '1', '-ar', String(RATE), '-f', 's16le', decoded]);
    const bytes = await readFile(decoded);
    pcm = new Int16Array(bytes.buffer, bytes.byteOffset, 2 * ROUND_SECONDS * RATE);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** What is found first by a listener that begins so far into the stream, and after how long. */
  function firstFinding(fromSecond: number): { kind: SoundKind; afterMs: number } | null {
    const rules = new SoundRules();
    for (let heard = 0; heard < pcm.length; heard += FRAME) {
      const at = (fromSecond * RATE + heard) % pcm.length;
      const samples = pcm.slice(at, at + FRAME);
      const startMs = (heard / RATE) * 1_000;
      const [event] = rules.hear(soundSample({ startMs, samples, levelDbfs: levelOf(samples), speech: null }));
      if (event !== undefined) return { kind: event.kind, afterMs: startMs };
    }
    return null;
  }

  it('brings a finding within a round, whenever one begins to listen', () => {
    const seconds = Array.from({ length: ROUND_SECONDS }, (_, second) => second);
    const findings = seconds.map(firstFinding);
    process.stderr.write(`latest finding after ${Math.max(...findings.map((found) => found?.afterMs ?? NaN))} ms\n`);
    for (const found of findings) expect(found?.afterMs).toBeLessThan(ROUND_SECONDS * 1_000);
    expect(new Set(findings.map((found) => found?.kind))).toEqual(new Set(['loudness_jump', 'dead_air']));
  });

  it('is as long as the pictures, to the sample', () => {
    expect(aacFrames(80)).toBe(3_750);
    expect(() => aacFrames(70)).toThrow(RangeError);
  });
});
