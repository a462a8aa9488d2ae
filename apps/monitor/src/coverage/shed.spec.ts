import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { CoverageSpan } from '#libs/contracts/coverage.js';
import type { CoverageObserved } from '#libs/contracts/facts.js';
import { createLogger } from '#libs/observability/logger.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { ClipDirectory } from '../capture/clips.fixture.js';
import { findFfmpeg } from '../capture/ffmpeg-binary.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { InferenceBudget } from '../inference/inference-budget.js';
import { jobOf, KeepingSink, LightDetector, lightRule } from '../sessions/session.fixture.js';
import { StreamSession } from '../sessions/stream-session.js';
import { CoverageDesk } from './coverage-desk.js';

/** So many times faster than the world the clocks of the test run, and the source sends. */
const FASTER = 40;
/** Length of the stream, s of its own time. */
const STREAM_S = 360;
const START = Date.UTC(2026, 0, 1);
/** The ledger counts over so long what was shed, ms. */
const WINDOW_MS = 60_000;

/** Real: ffmpeg, an http source, the session, the inference budget, the account that becomes the ledger. */
describe('frames that the inference budget sheds', () => {
  let clips: ClipDirectory;
  let origin: HlsOrigin;
  let egress: EgressProxy;
  let ffmpegPath: string;

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
    origin = await HlsOrigin.start();
    egress = await EgressProxy.start({ allow: [origin.host] });
  });
  afterAll(async () => {
    await egress.stop();
    await origin.stop();
    await clips.remove();
  });

  it('are told as shed, for as much of the time as they are of all frames, and never for long', async () => {
    // A picture a second that is another one each time.
    const moving = `nullsrc=s=64x64:r=1:d=${STREAM_S},geq=lum='130+mod(T*37\\,110)':cb=128:cr=128`;
    const stream = await readFile(await clips.clip('moving.ts', moving, 1));
    const url = origin.on('/moving.ts', (_request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp2t' });
      const tickMs = 25;
      const piece = Math.ceil((stream.length / (STREAM_S * 1_000)) * tickMs * FASTER);
      let sent = 0;
      const timer = setInterval(() => {
        response.write(stream.subarray(sent, (sent += piece)));
        if (sent >= stream.length) clearInterval(timer);
      }, tickMs);
      response.on('close', () => clearInterval(timer));
    });
    const began = performance.now();
    const now = (): number => START + (performance.now() - began) * FASTER;
    const facts: CoverageObserved[] = [];
    const logger = createLogger('shed', 'silent');
    const desk = new CoverageDesk({
      append: (fact) => Promise.resolve(facts.push(structuredClone(fact))),
      ...{ reportMs: 15_000, now, logger },
    });
    const job = jobOf({ url, parts: ['video'] });
    const session = new StreamSession(job, 1, {
      ...{ ffmpegPath, now, logger, detector: new LightDetector(), sink: new KeepingSink(), rules: () => [lightRule] },
      platform: {
        descriptor: { id: 'test', title: 'Test', options: {} },
        resolve: () => Promise.resolve({ url, headers: {}, pace: 'live', container: 'other', expiresAt: null }),
      },
      lane: await egress.open(job.streamId),
      // A model that manages one picture in four seconds.
      budget: new InferenceBudget(() => 0.25, now),
      ...{ sampleIntervalMs: 1_000, random: () => 0 },
    });
    const ending = new AbortController();
    const endAccount = desk.follow({ job, session: 1, monitorId: 'm1' }, () => session.report());
    const looking = setInterval(() => desk.look(), 1_000 / FASTER);
    const running = session.run(ending.signal);
    const deadline = performance.now() + 40_000;
    while (session.report().framesCaptured < STREAM_S - 20 && performance.now() < deadline) await wait(50);
    clearInterval(looking);
    const { framesCaptured, framesShed = 0, framesInspected, parts } = session.report();
    await endAccount();
    const lastedMs = now() - START;
    ending.abort();
    await running;

    expect(parts.video).toMatchObject({
      state: 'degraded',
      detail: expect.stringContaining('frames a second') as string,
    });
    expect(framesInspected).toBeGreaterThan(20);
    const spans = new Map<number, CoverageSpan>();
    for (const span of facts.flatMap((fact) => fact.spans)) spans.set(span.startedAt, span);
    const lengths = (gap: CoverageSpan['gap']): number[] =>
      [...spans.values()].filter((span) => span.gap === gap).map(({ startedAt, endedAt }) => endedAt - startedAt);
    const total = (gap: CoverageSpan['gap']): number => lengths(gap).reduce((sum, ms) => sum + ms, 0);
    const part = framesShed / framesCaptured;
    expect(part).toBeGreaterThan(0.5);
    expect(total('adverts')).toBe(0);
    expect(total('shed')).toBeLessThan(part * lastedMs * 1.1);
    // What the first window shed is told in the second.
    expect(total('shed')).toBeGreaterThan(part * (lastedMs - 2 * WINDOW_MS) * 0.9);
    expect(Math.max(...lengths('shed'))).toBeLessThan(WINDOW_MS);
    expect(total(null)).toBeGreaterThan((1 - part) * lastedMs * 0.9);
  }, 60_000);
});
