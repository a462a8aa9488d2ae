import sharp from 'sharp';
import { TwitchStandIn, type Aired } from '#libs/testing/platform-twitch-server.js';
import type { PreparedSegment } from '#libs/testing/hls-origin.js';
import { CaptureError } from '../../capture/capture-error.js';
import { Capture } from '../../capture/capture.js';
import { ClipDirectory, TEST_FORMAT } from '../../capture/clips.fixture.js';
import { findFfmpeg } from '../../capture/ffmpeg-binary.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import { TwitchPlatform } from './twitch.platform.js';

/** Green is the stream, red are the adverts; each segment is a second with one keyframe. */
describe('an advert break, watched by ffmpeg', () => {
  let ffmpegPath: string;
  let clips: ClipDirectory;
  let stream: PreparedSegment[];
  let adverts: PreparedSegment[];
  let stand: TwitchStandIn;

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
    stream = await clips.segments('color=c=0x00ff00:s=320x180:r=5:d=16', 1, 5);
    adverts = await clips.segments('color=c=0xff0000:s=640x360:r=5:d=6', 1, 5);
    stand = await TwitchStandIn.start();
  });
  afterAll(async () => {
    await stand.stop();
    await clips.remove();
  });

  /** Seconds `from` to `to` (not) of the stream, or of the adverts. */
  const own = (from: number, to: number): Aired[] => stream.slice(from, to).map((segment) => ({ segment }));
  const advert = (from: number, to: number): Aired[] =>
    adverts.slice(from, to).map((segment) => ({ segment, advert: true }));

  /** What {@link Capture} gives: colour and second of the stream of each frame; and how it ended. */
  async function watch(aired: readonly Aired[]): Promise<{ colours: string[]; seconds: number[]; end: unknown }> {
    stand.air(aired);
    const proxy = await EgressProxy.start({ allow: [stand.origin.host] });
    const lane = await proxy.open('stream');
    const platform = new TwitchPlatform({ gqlUrl: stand.url, usherUrl: stand.url, now: Date.now, random: () => 0.5 });
    const playback = await platform.resolve('https://www.twitch.tv/somebody', new AbortController().signal, lane);
    const capture = new Capture({
      ...{ ffmpegPath, playback, format: TEST_FORMAT, sampleIntervalMs: 100, decode: 'keyframes' },
      ...{ proxyUrl: lane.proxyUrl, killGraceMs: 500 },
    });
    const colours: string[] = [];
    const points: number[] = [];
    let end: unknown = null;
    try {
      for await (const frame of capture.frames(new AbortController().signal)) {
        const [red, green] = (await sharp(frame.jpeg).stats()).channels.map(({ mean }) => mean);
        colours.push((red ?? 0) > (green ?? 0) ? 'red' : 'green');
        points.push(frame.ptsMs);
      }
    } catch (error) {
      end = error;
    } finally {
      await proxy.stop();
    }
    const zero = points[0] ?? 0;
    return { colours, seconds: points.map((point) => Math.round((point - zero) / 1_000)), end };
  }

  it('gives no frame of the adverts, and every frame after them', async () => {
    const { colours, seconds, end } = await watch([...own(0, 5), ...advert(0, 5), ...own(10, 15)]);
    // Begins with the newest but one of the first window, which is second 2.
    expect(seconds).toEqual([0, 1, 2, 8, 9, 10, 11, 12]);
    expect(new Set(colours)).toEqual(new Set(['green']));
    expect(end).toBeInstanceOf(CaptureError);
    expect(end).toMatchObject({ reason: 'ended' });
  }, 60_000);

  it('waits for the end of adverts that come first', async () => {
    const { colours, seconds } = await watch([...advert(0, 6), ...own(6, 11)]);
    expect(colours).toEqual(seconds.map(() => 'green'));
    expect(seconds).toEqual([0, 1, 2, 3, 4]);
  }, 60_000);
});
