import { EgressProxy } from '../egress/egress-proxy.js';
import { Capture } from './capture.js';
import { TEST_FORMAT } from './clips.fixture.js';

/**
 * A process that captures until it is killed. Arguments: ffmpeg, `host:port` of the origin, path, frames to read.
 * Prints the process id of its ffmpeg, then one line per frame.
 */
const [ffmpegPath = '', host = '', path = '', wanted = '0'] = process.argv.slice(2);
const proxy = await EgressProxy.start({ allow: [host] });
const lane = await proxy.open('child');
const capture = new Capture({
  ffmpegPath,
  playback: { url: `http://${host}${path}`, headers: {}, pace: 'live', expiresAt: null, container: 'hls' },
  ...{ format: TEST_FORMAT, sampleIntervalMs: 100, decode: 'keyframes', proxyUrl: lane.proxyUrl, stallMs: 60_000 },
});
const frames = capture.frames(new AbortController().signal);
let pending = frames.next();
process.stdout.write(`pid ${capture.stats.pid ?? 0}\n`);
for (let count = 0; count < Number(wanted); count += 1) {
  await pending;
  process.stdout.write(`frame ${count}\n`);
  if (count + 1 < Number(wanted)) pending = frames.next();
}
setInterval(() => undefined, 1_000);
