import fc from 'fast-check';
import { Severity } from '#libs/contracts/primitives.js';
import { decide, type HitGroup, type OpenAlert, type PolicySettings } from './decide.js';
import { escalate, firstEscalationAt } from './escalation.js';
import { DEFAULT_PREFERENCES, NotificationPreferences } from './preferences.js';
import { isQuiet, quietUntil } from './quiet-hours.js';
import { dispatchesOf, type Recipient } from './recipients.js';
import { nextAttemptAt } from './retry-schedule.js';
import type { Silence } from './silences.js';

const settings: PolicySettings = {
  ...{ adminsFrom: 'info', inAppMs: 10_000, groupWaitMs: 2_000, groupIntervalMs: 300_000 },
  promises: { critical: 120_000 },
};
const person = (userId: string, changes: Partial<Recipient> = {}): Recipient => ({
  ...{ userId, role: 'agent', assigned: true, watching: false, preferences: DEFAULT_PREFERENCES },
  routes: [{ channel: 'email', endpointId: null }],
  ...changes,
});
const hitOf = (changes: Partial<HitGroup> = {}): HitGroup => ({
  ...{ streamId: 's', ruleId: 'r', ruleKey: 'r:person', label: 'person', severity: 'high', count: 1 },
  ...{ detectionId: 'd', title: 'person on door', body: '' },
  ...changes,
});

/** The tables behind the policy, as far as it sees them. */
class World {
  private ids = 0;
  alerts: (OpenAlert & { closesAt: number; told: Set<string>; count: number; suppressed: number })[] = [];
  notifications: { id: string; userId: string; count: number; suppressed: number; silenced: boolean; at: number }[] =
    [];
  deliveries: { userId: string; dueAt: number; at: number }[] = [];

  hit(hits: HitGroup[], now: number, people: Recipient[], silences: Silence[] = []): void {
    const open = this.alerts.filter(({ closesAt }) => closesAt > now).reverse();
    const newId = (): string => String((this.ids += 1));
    const recipients = new Map([['s', people]]);
    const decision = decide({ hits, open, recipients, globalWebhooks: [], silences, now, newId }, settings);
    for (const { id, hit, suppressed, closesAt, escalateAt } of decision.alerts) {
      const { streamId, ruleKey, severity, count } = hit;
      const rest = { latest: new Map(), told: new Set<string>(), closesAt, count, suppressed };
      this.alerts.push({ id, streamId, ruleKey, severity, escalates: escalateAt !== null, ...rest });
    }
    for (const { id, count, suppressed } of decision.countedAlerts) {
      const alert = this.alerts.find((one) => one.id === id);
      if (alert === undefined) throw new Error('counted an alert that is not there');
      alert.count += count;
      alert.suppressed += suppressed;
    }
    for (const { id, userId, alertId, count, suppressed, silenced } of decision.notifications) {
      this.notifications.push({ id, userId, count, suppressed, silenced, at: now });
      const latest = this.alerts.find((one) => one.id === alertId)?.latest as Map<string, unknown>;
      latest.set(userId, { id, createdAt: now, silenced });
    }
    for (const { id, count, suppressed } of decision.countedNotifications) {
      const row = this.notifications.find((one) => one.id === id);
      if (row === undefined) throw new Error('counted a notification that is not there');
      row.count += count;
      row.suppressed += suppressed;
    }
    for (const { userId, alertId, dispatch } of decision.deliveries) {
      this.deliveries.push({ userId: userId ?? '', dueAt: dispatch.dueAt, at: now });
      this.alerts.find((one) => one.id === alertId)?.told.add(userId ?? '');
    }
  }
}

const silence = (changes: Partial<Silence> = {}): Silence => ({
  ...{ id: 'x', streamId: 's', ruleId: null, label: null, startsAt: 0, endsAt: 10_000_000 },
  ...changes,
});

describe('the policy of notifications', () => {
  it('counts each hit once for each recipient: notified, grouped or suppressed', () => {
    const steps = fc.array(
      fc.record({
        pauseMs: fc.integer({ min: 0, max: 200_000 }),
        count: fc.integer({ min: 1, max: 500 }),
        severity: fc.constantFrom(...Severity.options),
        silenced: fc.boolean(),
        rule: fc.constantFrom('a', 'b'),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World();
        let [now, hits, hidden] = [0, 0, 0];
        for (const { pauseMs, count, severity, silenced, rule } of all) {
          now += pauseMs;
          hits += count;
          hidden += silenced ? count : 0;
          const silences = silenced ? [silence({ startsAt: now, endsAt: now + 1 })] : [];
          world.hit([hitOf({ count, severity, ruleKey: rule })], now, [person('ann'), person('bob')], silences);
        }
        const sum = (rows: readonly { count: number; suppressed: number }[]): [number, number] => [
          rows.reduce((total, { count }) => total + count, 0),
          rows.reduce((total, { suppressed }) => total + suppressed, 0),
        ];
        for (const user of ['ann', 'bob']) {
          expect(sum(world.notifications.filter(({ userId }) => userId === user))).toEqual([hits, hidden]);
        }
        expect(sum(world.alerts)).toEqual([hits, hidden]);
        // Nobody hears of what was silenced from its first hit to its last.
        for (const row of world.notifications) if (row.silenced) expect(row.suppressed).toBe(row.count);
      }),
      { numRuns: 200 },
    );
  });

  it('makes one notification an interval and channel of 10,000 hits in a minute, and counts them all', () => {
    const world = new World();
    for (let tick = 0; tick < 100; tick += 1) world.hit([hitOf({ count: 100 })], tick * 600, [person('ann')]);
    expect(world.deliveries).toHaveLength(1);
    expect(world.notifications).toHaveLength(6);
    expect(world.notifications.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
    world.hit([hitOf()], settings.groupIntervalMs, [person('ann')]);
    expect(world.deliveries).toHaveLength(2);
  });

  it('tells of a graver hit at once, and of whom a silence spared as soon as it is over', () => {
    const world = new World();
    world.hit([hitOf()], 0, [person('ann')]);
    world.hit([hitOf({ severity: 'critical' })], 1, [person('ann')]);
    expect(world.deliveries).toHaveLength(2);
    world.hit([hitOf({ ruleKey: 'other' })], 2, [person('ann')], [silence({ endsAt: 3 })]);
    expect(world.deliveries).toHaveLength(2);
    world.hit([hitOf({ ruleKey: 'other' })], 3, [person('ann')], [silence({ endsAt: 3 })]);
    expect(world.deliveries).toHaveLength(3);
    expect(world.notifications.at(-1)).toMatchObject({ silenced: false, count: 1 });
  });

  it.each<[string, Partial<Silence>, boolean]>([
    ['the stream', {}, true],
    ['another stream', { streamId: 't' }, false],
    ['stream and rule', { ruleId: 'r' }, true],
    ['another rule of the stream', { ruleId: 'q' }, false],
    ['the label, whatever its case', { streamId: null, label: 'PERSON' }, true],
    ['another label', { label: 'dog' }, false],
    ['nothing at all', { streamId: null }, false],
    ['a time to come', { startsAt: 101 }, false],
    ['a time that is over', { endsAt: 100 }, false],
  ])('knows whether a silence of %s holds', (_what, changes, holds) => {
    const world = new World();
    world.hit([hitOf()], 100, [person('ann')], [silence(changes)]);
    expect(world.notifications).toMatchObject([{ silenced: holds }]);
    expect(world.deliveries).toHaveLength(holds ? 0 : 1);
  });

  it('tells agents and watchers of the stream of everything, admins from a severity on, others of nothing', () => {
    const people = [
      person('agent'),
      person('admin', { role: 'admin', assigned: false }),
      person('watcher', { role: 'admin', assigned: false, watching: true }),
      person('stranger', { assigned: false }),
      // An agent that looked after the stream once may not read it any more.
      person('former', { assigned: false, watching: true }),
    ];
    for (const [severity, expected] of [
      ['medium', ['agent', 'watcher']],
      ['critical', ['agent', 'admin', 'watcher']],
    ] as const) {
      const decision = decide(
        {
          ...{ hits: [hitOf({ severity })], open: [], recipients: new Map([['s', people]]), globalWebhooks: [] },
          ...{ silences: [], now: 0, newId: () => 'x' },
        },
        { ...settings, adminsFrom: 'high' },
      );
      expect(decision.notifications.map(({ userId }) => userId)).toEqual(expected);
    }
  });

  it('collects what may wait in digests, lets grave things through quiet hours, and never puts programs off', () => {
    const preferences = NotificationPreferences.parse({
      channels: { email: 'info', webhook: 'info' },
      quietHours: { from: '22:00', to: '06:00', timeZone: 'UTC' },
      digest: { everyMinutes: 60, upTo: 'low' },
    });
    const routes = [
      { channel: 'email' as const, endpointId: null },
      { channel: 'webhook' as const, endpointId: 'w' },
    ];
    const ann = person('ann', { preferences, routes });
    const at = (time: string): number => Date.parse(`2026-05-01T${time}:00Z`);
    const due = (severity: Severity, time: string): [string, string][] =>
      dispatchesOf(ann, severity, at(time), 0).map(({ kind, dueAt }) => [
        kind,
        new Date(dueAt).toISOString().slice(11, 16),
      ]);
    expect(due('low', '12:10')).toEqual([
      ['digest', '13:00'],
      ['single', '12:10'],
    ]);
    expect(due('high', '12:10')[0]).toEqual(['single', '12:10']);
    expect(due('high', '23:10')[0]).toEqual(['digest', '06:00']);
    expect(due('critical', '23:10')[0]).toEqual(['single', '23:10']);
  });

  it('takes an alert further step by step, and then no more', () => {
    expect(firstEscalationAt('critical', 5, settings.promises)).toBe(120_005);
    expect(firstEscalationAt('low', 5, settings.promises)).toBeNull();
    expect(escalate(0, 'critical', 0, settings.promises)).toEqual({ step: 'stream', level: 1, nextAt: 120_000 });
    expect(escalate(1, 'critical', 0, settings.promises)).toEqual({ step: 'admins', level: 2, nextAt: null });
    expect(escalate(2, 'critical', 0, settings.promises)).toBeNull();
  });
});

describe('quiet hours', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
  ];
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);

  it('end when the clock on the wall says so, through every change of the clocks', () => {
    fc.assert(
      fc.property(
        fc.record({ from: time, to: time, timeZone: fc.constantFrom(...zones) }),
        // Half of the instants lie around changes of the clocks in 2026.
        fc.oneof(
          fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) }),
          fc
            .constantFrom(
              '2026-03-29T00:30:00Z',
              '2026-10-25T00:30:00Z',
              '2026-03-08T06:30:00Z',
              '2026-11-01T05:30:00Z',
            )
            .chain((at) => fc.integer({ min: -10, max: 10 }).map((hours) => Date.parse(at) + hours * 1_800_000)),
        ),
        (hours, now) => {
          const until = quietUntil(now, hours);
          expect(until !== null).toBe(isQuiet(now, hours));
          if (until === null) return;
          expect(until).toBeGreaterThan(now - 60_000);
          expect(isQuiet(until, hours)).toBe(false);
          expect(until - now).toBeLessThanOrEqual(26 * 3_600_000);
          for (let minute = now; minute < until; minute += 300_000) expect(isQuiet(minute, hours)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['an ordinary night', '2026-05-01T21:00:00Z', '2026-05-02T05:00:00.000Z'],
    ['the night that is an hour short', '2026-03-28T22:00:00Z', '2026-03-29T05:00:00.000Z'],
    ['the night that is an hour long', '2026-10-24T21:00:00Z', '2026-10-25T06:00:00.000Z'],
  ])('of Berlin end at seven after %s', (_what, now, end) => {
    const until = quietUntil(Date.parse(now), { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' });
    expect(new Date(until ?? 0).toISOString()).toBe(end);
  });
});

describe('the schedule of attempts', () => {
  it('waits 5 s, 30 s, 2 min, 10 min, 30 min, 2 h and 6 h, give or take a fifth, and then gives up', () => {
    const failure = { permanent: false, retryAfterMs: null };
    const seconds = [5, 30, 120, 600, 1_800, 7_200, 21_600];
    seconds.forEach((pause, index) => {
      expect(nextAttemptAt(0, index + 1, failure, () => 0)).toBe(pause * 800);
      expect(nextAttemptAt(0, index + 1, failure, () => 1)).toBe(pause * 1_200);
    });
    expect(nextAttemptAt(0, 8, failure, () => 0)).toBeNull();
    expect(nextAttemptAt(0, 1, { permanent: true, retryAfterMs: 5 }, () => 0)).toBeNull();
  });

  it('obeys what the receiver asks for to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (ms, random) => {
        expect(nextAttemptAt(7, 1, { permanent: false, retryAfterMs: ms }, () => random, 0.001)).toBe(7 + ms);
      }),
    );
  });
});
