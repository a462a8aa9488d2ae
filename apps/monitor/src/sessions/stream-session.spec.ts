import { AppError } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { ClipDirectory } from '../capture/clips.fixture.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import { UrlPlatform } from '../platforms/url/url.platform.js';
import type { StatusChange } from './session-status.js';
import { StreamSession } from './stream-session.js';
import { jobOf, LightDetector, lightRule } from './session.fixture.js';

/** Real: ffmpeg, the egress lane, the url platform, the pipeline. The detector looks at brightness alone. */
describe('StreamSession', () => {
  let clips: ClipDirectory;
  let ffmpegPath: string;
  let egress: EgressProxy;

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
    egress = await EgressProxy.start({ allow: [] });
  });

  afterAll(async () => {
    await egress.stop();
    await clips.remove();
  });

  async function watch(
    file: string,
    detector: LightDetector,
    keep: (event: Opened) => Promise<void> = () => Promise.resolve(),
  ): Promise<{ opened: Opened[]; closed: Closed[]; statuses: StatusChange[]; session: StreamSession }> {
    const seen = { opened: [] as Opened[], closed: [] as Closed[], statuses: [] as StatusChange[] };
    const job = jobOf({ url: `file://${file}`, parts: ['video'] });
    const session = new StreamSession(job, 7, {
      ...{ ffmpegPath, detector, rules: () => [lightRule] },
      platform: new UrlPlatform(true),
      lane: await egress.open(job.streamId),
      sink: {
        status: (change) => void seen.statuses.push(change),
        opened: async (event) => {
          await keep(event);
          seen.opened.push(event);
        },
        closed: async (event) => void seen.closed.push(event),
      },
      sampleIntervalMs: 1_000,
      now: Date.now,
      random: () => 0,
      logger: createLogger('test', 'silent'),
    });
    await session.run(new AbortController().signal);
    return { ...seen, session };
  }

  /** Black, white from 4 s to 9 s, black again to 15 s. */
  const blink = (name: string, gop: number): Promise<string> =>
    clips.clip(name, "nullsrc=s=64x64:r=10:d=15,geq=lum='if(between(T,4,8.95),235,16)':cb=128:cr=128", gop);

  it('turns a file into events with times of the stream, at full speed', async () => {
    const { opened, closed, statuses, session } = await watch(await blink('blink.mp4', 10), new LightDetector());
    expect(opened).toHaveLength(1);
    expect(closed).toHaveLength(1);
    expect(closed[0]).toMatchObject({
      eventId: opened[0]?.eventId,
      startedStreamMs: 4_000,
      endedStreamMs: 8_000,
      frames: 5,
    });
    expect(statuses.map(({ status }) => status)).toEqual(['starting', 'live']);
    expect(session.report()).toMatchObject({ session: 7, generation: 3, framesInspected: 15, framesDropped: 0 });
  });

  it('decodes in full where keyframes are far apart', async () => {
    const detector = new LightDetector();
    const { closed } = await watch(await blink('sparse.mp4', 100), detector);
    expect(closed).toHaveLength(1);
    expect(detector.inspected).toBeGreaterThanOrEqual(14);
  });

  it('says that video is degraded while there is no model, and watches on', async () => {
    const detector = new LightDetector();
    detector.condition = { state: 'degraded', detail: 'Put a model there.', model: null, labels: [] };
    const { opened, statuses } = await watch(await blink('no-model.mp4', 10), detector);
    expect(opened).toEqual([]);
    expect(statuses.at(-1)).toMatchObject({
      status: 'degraded',
      reason: 'model_missing',
      detail: 'Put a model there.',
    });
  });

  it('bears a detector that fails now and then, and says so when it goes on', async () => {
    const detector = new LightDetector();
    const fault = (): Error => new AppError('inference.failed', 'operational', 'The model broke.');
    detector.faults.push(fault(), fault(), fault());
    const { closed, statuses } = await watch(await blink('faults.mp4', 10), detector);
    expect(closed).toHaveLength(1);
    expect(statuses.map(({ status, reason }) => [status, reason])).toEqual([
      ['starting', null],
      ['degraded', 'detector_failed'],
      ['live', null],
    ]);
  });

  it('reports an event again, under the same id, when it could not be kept', async () => {
    const refused: string[] = [];
    const { opened } = await watch(await blink('full.mp4', 10), new LightDetector(), async ({ eventId }) => {
      if (refused.push(eventId) === 1) throw new AppError('spool.full', 'operational', 'The disk is full.');
    });
    expect(opened).toHaveLength(1);
    expect(new Set(refused).size).toBe(1);
    expect(refused).toHaveLength(2);
  });
});
