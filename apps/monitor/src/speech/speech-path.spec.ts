import { join } from 'node:path';
import { itWithData } from '#libs/testing/test-data.js';
import { Capture } from '../capture/capture.js';
import { ClipDirectory, filePlayback, TEST_FORMAT } from '../capture/clips.fixture.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { SherpaEngine } from '../detectors/whisper/sherpa-engine.js';
import { writeTinyWhisper } from '../detectors/whisper/tiny-whisper.fixture.js';
import { VoiceDetector } from '../inference/voice-detector.js';
import { StreamListener } from './stream-listener.js';
import { Transcriber, type TranscriptSegment } from './transcriber.js';

const sentence = 'ask what you can do for your country';

describe('from a stream to text', () => {
  itWithData(
    'one capture brings pictures and a transcript at stream time, though the engine is killed on the way',
    ['speech/jfk.wav'],
    async (wav) => {
      const ffmpegPath = await findFfmpeg();
      const clips = await ClipDirectory.make(ffmpegPath);
      const voice = new VoiceDetector();
      await writeTinyWhisper(clips.path, sentence);
      const engine = new SherpaEngine({ wanted: clips.path, modelsDir: clips.path });
      const segments: TranscriptSegment[] = [];
      let first = (): void => undefined;
      const written = new Promise<void>((resolve) => (first = resolve));
      const transcriber = new Transcriber({ engine, onSegment: (segment) => (segments.push(segment), first()) });
      try {
        const path = join(clips.path, 'speech.mp4');
        await clips.ffmpeg(
          ...['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=13', '-i', wav, '-c:v', 'libx264', '-preset', 'ultrafast'],
          ...['-pix_fmt', 'yuv420p', '-g', '10', '-c:a', 'aac', '-output_ts_offset', '100', path],
        );
        await engine.start();
        transcriber.start();
        const capture = new Capture({
          ...{ ffmpegPath, playback: filePlayback(path), format: TEST_FORMAT, sound: true },
          ...{ sampleIntervalMs: 1_000, decode: 'keyframes', proxyUrl: null, stallMs: 20_000 },
        });
        const listener = new StreamListener({
          ...{ streamId: 'a', voice, onSound: () => undefined },
          onUtterance: (utterance) => {
            if (engine.pid !== null && engine.restarts === 0) process.kill(engine.pid, 'SIGKILL');
            transcriber.offer('a', utterance);
          },
        });
        let frames = 0;
        let listening: Promise<void> | null = null;
        for await (const { ptsMs } of capture.frames(new AbortController().signal)) {
          listening ??= listener.listen(capture.pcm());
          listener.sync(ptsMs, ptsMs - 100_000);
          frames += 1;
        }
        await listening;
        await written;
        expect(frames).toBe(13);
        expect(segments[0]).toMatchObject({ streamId: 'a', text: sentence, engine: 'sherpa' });
        expect(segments[0]?.startMs).toBeLessThan(1_000);
        expect(segments[0]?.endMs).toBeGreaterThan(2_200);
        expect(engine.restarts).toBe(1);
        expect(listener.figures().speechMs).toBeGreaterThan(6_000);
      } finally {
        await transcriber.stop();
        await Promise.all([engine.stop(), voice.stop(), clips.remove()]);
      }
    },
    60_000,
  );
});
