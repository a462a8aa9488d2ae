import { join } from 'node:path';
import { OtlpServer, type TakenSpan } from '#libs/testing/otlp-server.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { makeClip, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, eventually, must } from './vigil.js';

const PASSWORD = 'canary-of-the-mail-server';

/**
 * One trace from the picture to the mail. Real: both apps as processes, Postgres, Redis, ffmpeg, the detector. Not real:
 * the mail server, the receiver of webhooks and the collector of traces, which speak their protocols on loopback.
 */
describe('the trace of a finding', () => {
  let origin: FixtureOrigin;
  let collector: OtlpServer;
  let mail: SmtpServer;
  let hooks: WebhookServer;
  let vigil: Vigil;

  beforeAll(async () => {
    origin = await onAir((ffmpeg, folder) =>
      makeClip(ffmpeg, join(folder, 'clip.mp4'), { photo: photoOfPeople(), photoSeconds: 6, plainSeconds: 6 }),
    );
    [collector, mail, hooks] = [await OtlpServer.start(), await SmtpServer.start(), await WebhookServer.start()];
    vigil = await Vigil.start({
      allow: [origin.address],
      env: {
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=canary-of-the-collector' },
        ...{ SMTP_URL: mail.url.replace('pass', PASSWORD), WEBHOOK_ALLOW: hooks.place },
        NOTIFY_GROUP_WAIT_MS: '0',
      },
    });
  }, 90_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origin as FixtureOrigin | undefined)?.end();
    for (const server of [collector, mail, hooks]) await (server as SmtpServer | undefined)?.stop();
  }, 60_000);

  it('leads from the picture over both apps to the mail and the webhook, and names nobody', async () => {
    const admin = await vigil.admin();
    const rule = { label: 'person', threshold: 0.4, severity: 'critical' as const };
    must(await admin.client.POST('/api/objects', { body: rule }));
    must(await admin.client.POST('/api/webhooks', { body: { url: `${hooks.url}?key=canary-of-the-hook` } }));
    const url = `${origin.url}?token=canary-of-the-stream`;
    await vigil.startMonitoring(admin, await vigil.stream(admin, 'stage', url));
    const wanted = ['finding', 'confirm', 'spool', 'ship', 'ingest', 'notify', 'deliver email', 'deliver webhook'];
    let traceId = '';
    const spans = await eventually<TakenSpan[]>(
      () => {
        traceId = collector.spans.find(({ name }) => name === 'deliver email')?.traceId ?? '';
        const names = new Set(collector.of(traceId).map(({ name }) => name));
        return Promise.resolve(wanted.every((name) => names.has(name)) ? collector.of(traceId) : null);
      },
      60_000,
      () =>
        `there came ${collector
          .of(traceId)
          .map(({ name }) => name)
          .join(', ')}`,
    );
    const root = spans.find(({ name }) => name === 'finding');
    for (const span of spans)
      if (span !== root) expect([span.name, span.parentSpanId]).toEqual([span.name, root?.spanId]);
    const service = (name: string): string | undefined => spans.find((span) => span.name === name)?.service;
    expect([service('ship'), service('deliver email')]).toEqual(['vigil-monitor', 'vigil-api']);
    const begin = (name: string): bigint => BigInt(spans.find((span) => span.name === name)?.startTimeUnixNano ?? 0);
    const order = ['finding', 'ship', 'ingest', 'deliver email'].map(begin);
    expect(order).toEqual([...order].sort((one, other) => (one < other ? -1 : 1)));
    // The id that logs and mails carry is the trace's.
    const correlation = mail.mails.map((taken) => taken.header('x-correlation-id').replaceAll('-', ''));
    expect(correlation.join(' ')).toContain(traceId);
    const hook = spans.find(({ name }) => name === 'deliver webhook');
    expect(hooks.calls.map(({ headers }) => headers['traceparent'])).toContain(
      `00-${traceId}-${String(hook?.spanId)}-01`,
    );
    expect(collector.spans.some(({ name, service: of }) => of === 'vigil-api' && name === 'POST /api/streams')).toBe(
      true,
    );
    expect(collector.bodies.join()).not.toMatch(/canary|@|admin|127\.0\.0\.1/);
  }, 90_000);
});
