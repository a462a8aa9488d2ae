import { ScriptedEngine } from '../detectors/whisper/scripted-engine.fixture.js';
import { utteranceOf } from './sound.fixture.js';
import { Transcriber, type TranscriptSegment } from './transcriber.js';

const segments: TranscriptSegment[] = [];
let transcriber: Transcriber;
let engine: ScriptedEngine;
afterEach(async () => {
  await transcriber.stop();
  await engine.stop();
  segments.length = 0;
});

/** A transcriber whose engine says these things; `wait` resolves once the engine has heard so many. */
async function begin(lines: (string | Error)[]): Promise<(count: number) => Promise<void>> {
  let heard = 0;
  let reached = (): void => undefined;
  engine = new ScriptedEngine((index) => {
    heard += 1;
    setImmediate(() => reached());
    return lines[index] ?? '';
  });
  transcriber = new Transcriber({ engine, onSegment: (segment) => segments.push(segment) });
  await engine.start();
  transcriber.start();
  return async (count) => {
    while (heard < count) await new Promise<void>((resolve) => (reached = resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
}

describe('Transcriber', () => {
  it('hands on text with time, maker and what came before, each stream by itself', async () => {
    const heard = await begin(['buy free', 'hello there', 'crypto now']);
    transcriber.offer('a', utteranceOf(2, 1_000));
    transcriber.offer('b', utteranceOf(2, 1_000));
    transcriber.offer('a', utteranceOf(2, 3_500));
    await heard(3);
    expect(segments.map(({ streamId, startMs, text }) => [streamId, startMs, text])).toEqual([
      ['a', 1_000, '[scripted] buy free'],
      ['b', 1_000, '[scripted] hello there'],
      ['a', 3_500, '[scripted] crypto now'],
    ]);
    expect(segments[2]?.stitched.text).toBe('[scripted] buy free [scripted] crypto now');
    expect(segments[0]).toMatchObject({ engine: 'scripted', model: 'script', vadMean: 0.9, filters: [] });
    expect(transcriber.figures()).toMatchObject({ written: 3, failed: 0, waiting: 0, filtered: {} });
  });

  it('drops what was invented, counts failures, and goes on', async () => {
    const heard = await begin(['la '.repeat(60), new Error('it broke'), 'a true sentence']);
    for (const startMs of [0, 5_000, 9_000]) transcriber.offer('a', utteranceOf(3, startMs));
    await heard(3);
    expect(segments.map(({ text }) => text)).toEqual(['[scripted] a true sentence']);
    expect(transcriber.figures()).toMatchObject({
      ...{ written: 2, failed: 1, lastFailure: 'it broke', filtered: { compression_ratio: 1 } },
    });
  });

  it('queues nothing for an engine without a model', async () => {
    engine = new ScriptedEngine(() => 'never');
    transcriber = new Transcriber({ engine, onSegment: (segment) => segments.push(segment) });
    transcriber.offer('a', utteranceOf(1));
    expect(transcriber.figures().waiting).toBe(0);
    await transcriber.stop();
    expect(transcriber.coverage('a')).toEqual({ queued: 0, dropped: 0, droppedMs: 0 });
  });

  it('stops at once although the engine never answers', async () => {
    let asked = (): void => undefined;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    engine = new ScriptedEngine(() => 'never');
    engine.transcribe = () => {
      asked();
      return new Promise(() => undefined);
    };
    transcriber = new Transcriber({ engine, onSegment: (segment) => segments.push(segment) });
    await engine.start();
    transcriber.start();
    transcriber.offer('a', utteranceOf(1));
    await wasAsked;
    await transcriber.stop();
    expect(segments).toEqual([]);
    expect(transcriber.figures()).toMatchObject({ written: 0, failed: 0 });
  });
});
