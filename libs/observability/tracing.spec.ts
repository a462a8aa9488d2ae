import { randomUUID } from 'node:crypto';
import { OtlpServer } from '#libs/testing/otlp-server.js';
import { until } from '#libs/testing/until.js';
import { createLogger } from './logger.js';
import { inSpan, noteAlone, noteFinding, noteSpan, startTracing, stopTracing, tracedSpans } from './tracing.js';

const logger = createLogger('test', 'silent');
const traceOf = (id: string): string => id.replaceAll('-', '');

describe('tracing', () => {
  let collector: OtlpServer;

  beforeEach(async () => {
    collector = await OtlpServer.start();
  });
  afterEach(async () => {
    await stopTracing();
    await collector.stop();
  });
  const start = (headers?: string): Promise<void> =>
    startTracing(
      'test',
      { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_EXPORTER_OTLP_HEADERS: headers },
      logger,
    );

  it('is off without an endpoint: work is done, nothing is handed on', async () => {
    await startTracing('test', {}, logger);
    noteFinding(randomUUID(), { name: 'finding', startedAt: 0 });
    expect(await inSpan([randomUUID()], { name: 'deliver' }, (traceparent) => Promise.resolve(traceparent))).toBeNull();
    expect(tracedSpans()).toEqual({});
  });

  it('makes one trace of what several processes say of a finding, in whatever order they say it', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    await start('authorization=Bearer%20x, x-team=a');
    const handed = await inSpan([id, other], { name: 'deliver webhook', kind: 'client' }, (parent) =>
      Promise.resolve(parent),
    );
    noteSpan(id, { name: 'ingest', startedAt: 2_000, endedAt: 3_000 });
    noteFinding(id, { name: 'finding', startedAt: 9e15, endedAt: 1_000 });
    noteAlone({ name: 'GET /api/streams', startedAt: 1 });
    await stopTracing();
    const spans = collector.of(traceOf(id));
    const root = spans.find(({ name }) => name === 'finding');
    expect(root).toMatchObject({
      service: 'vigil-test',
      startTimeUnixNano: '1000000000',
      endTimeUnixNano: '1000000000',
    });
    expect(root?.parentSpanId ?? '').toBe('');
    expect(spans.map(({ name }) => name).sort()).toEqual(['deliver webhook', 'finding', 'ingest']);
    for (const span of spans) if (span !== root) expect(span.parentSpanId).toBe(root?.spanId);
    const delivery = spans.find(({ name }) => name.startsWith('deliver'));
    expect(handed).toBe(`00-${traceOf(id)}-${String(delivery?.spanId)}-01`);
    expect(delivery?.links.map(({ traceId }) => traceId)).toEqual([traceOf(other)]);
    expect(collector.spans).toHaveLength(4);
    expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer x', 'x-team': 'a' });
  });

  it('says that work failed, not why: that may hold what nobody should know', async () => {
    const id = randomUUID();
    await start();
    const failing = inSpan([id], { name: 'deliver email' }, () => Promise.reject(new Error('for eva@example.com')));
    await expect(failing).rejects.toThrow('for eva@example.com');
    noteAlone({
      ...{ name: 'GET', startedAt: 1 },
      attributes: { 'http.route': `https://user:canary@example.com/a?token=canary ${'x'.repeat(500)}` },
    });
    await stopTracing();
    expect(collector.of(traceOf(id))[0]?.status.code).toBe(2);
    expect(collector.bodies.join()).not.toMatch(/eva@|canary|x{201}/);
  });

  it.each(['silent', 'refuses'] as const)(
    'holds nothing up when its collector %s, and keeps no more than it may',
    async (mood) => {
      collector.mood = mood;
      await start();
      const [many, most] = [10_000, 2_048];
      for (let count = 0; count < many; count += 1) noteAlone({ name: 'GET', startedAt: 1 });
      // All in one turn: nothing was sent between, so what does not fit is dropped, and counted.
      expect(tracedSpans()).toEqual({ sent: 0, failed: 0, dropped: many - most });
      if (mood === 'refuses') await until(() => (tracedSpans()['failed'] ?? 0) >= 512, 'a batch that was refused');
      const ended = await Promise.race([
        stopTracing().then(() => 'ended'),
        new Promise((resolve) => setTimeout(resolve, 4_000, 'held up').unref()),
      ]);
      expect(ended).toBe('ended');
    },
    20_000,
  );

  it('counts what a collector that is gone did not take, and goes on once it is back', async () => {
    await start();
    collector.mood = 'refuses';
    noteAlone({ name: 'lost', startedAt: 1 });
    await until(() => tracedSpans()['failed'] === 1, 'a refusal');
    collector.mood = 'takes';
    noteAlone({ name: 'kept', startedAt: 1 });
    await until(() => tracedSpans()['sent'] === 1, 'a span that was taken');
    expect(collector.spans.map(({ name }) => name)).toEqual(['kept']);
  }, 20_000);
});
