import { CANARY_RUN_MS } from '#libs/contracts/canary.js';
import { channelChange, closedText, monitorChange, openedText, type MonitorState } from './canary-health.js';

const EVERY_MS = 600_000;
const GRACE_MS = 120_000;
const rule = { graceMs: GRACE_MS, lookingSince: 0 };
/** The moment from which on a run that was due is late. */
const LATE = EVERY_MS + CANARY_RUN_MS + GRACE_MS;

const monitor = (changes: Partial<MonitorState> = {}): MonitorState => ({
  ...{ monitorId: 'm1', everyMs: EVERY_MS, isThere: true, expectedSince: 0, run: null, episodes: [] },
  ...changes,
});
const run = (storedAt: number, outcome: 'found' | 'missed' | 'unproven' = 'found'): MonitorState['run'] => ({
  storedAt,
  parts: [
    { part: 'video', outcome, reason: 'why' },
    { part: 'chat', outcome: 'found', reason: '' },
  ],
});
const parts = ({ opened, closed }: ReturnType<typeof monitorChange>): unknown => [
  opened.map(({ part }) => part),
  closed.map(({ part }) => part),
];

describe('the health of a canary', () => {
  it('counts a run as late when neither it nor a proof of before came within interval, run and grace', () => {
    expect(parts(monitorChange(monitor(), LATE, rule))).toEqual([[], []]);
    expect(parts(monitorChange(monitor(), LATE + 1, rule))).toEqual([['run'], []]);
    expect(parts(monitorChange(monitor({ run: run(1_000) }), LATE + 1, rule))).toEqual([[], []]);
    expect(parts(monitorChange(monitor({ expectedSince: 1_000 }), LATE + 1, rule))).toEqual([[], []]);
  });

  it('is not judged by whoever has only begun to look', () => {
    const lookingSince = LATE + 1;
    expect(parts(monitorChange(monitor(), lookingSince + GRACE_MS, { ...rule, lookingSince }))).toEqual([[], []]);
    expect(parts(monitorChange(monitor(), lookingSince + GRACE_MS + 1, { ...rule, lookingSince }))).toEqual([
      ['run'],
      [],
    ]);
  });

  it('says of a monitor that is gone that nothing is heard of it', () => {
    expect(openedText(monitorChange(monitor({ isThere: false }), LATE + 1, rule))).toBe(
      'Its canary has not come out since 1970-01-01T00:00:00.000Z: nothing is heard of it any more.',
    );
  });

  it('is told of once, and again when a later run shows that it is over', () => {
    const late = [{ id: 'e', part: 'run' as const, startedAt: LATE + 1 }];
    expect(parts(monitorChange(monitor({ episodes: late }), LATE + 2, rule))).toEqual([[], []]);
    // It is there again, but has not shown anything yet.
    expect(parts(monitorChange(monitor({ episodes: late, expectedSince: LATE + 2 }), LATE + 3, rule))).toEqual([
      [],
      [],
    ]);
    expect(parts(monitorChange(monitor({ episodes: late, run: run(LATE + 2) }), LATE + 3, rule))).toEqual([
      [],
      ['run'],
    ]);
  });

  it('tells of a part that was missed, not of one that cannot be tried', () => {
    expect(parts(monitorChange(monitor({ run: run(1_000, 'missed') }), 2_000, rule))).toEqual([['video'], []]);
    expect(parts(monitorChange(monitor({ run: run(1_000, 'unproven') }), 2_000, rule))).toEqual([[], []]);
  });

  it('ends the trouble of a part by a run that found it, not by the one that missed it', () => {
    const episodes = [{ id: 'e', part: 'video' as const, startedAt: 2_000 }];
    expect(parts(monitorChange(monitor({ episodes, run: run(1_000, 'missed') }), 3_000, rule))).toEqual([[], []]);
    expect(parts(monitorChange(monitor({ episodes, run: run(2_500, 'missed') }), 3_000, rule))).toEqual([[], []]);
    const over = monitorChange(monitor({ episodes, run: run(2_500) }), 122_000, rule);
    expect(parts(over)).toEqual([[], ['video']]);
    expect(closedText(over, 122_000)).toBe('The picture works again, after 2 min.');
  });
});

describe('the health of a channel', () => {
  const failing = { since: 1_000, reason: 'refused' };

  it('may fail its probes for the grace, then is told of once, and when it answers', () => {
    const state = { channel: 'email', failing, episodes: [] };
    expect(parts(channelChange(state, 1_000 + GRACE_MS - 1, GRACE_MS))).toEqual([[], []]);
    expect(parts(channelChange(state, 1_000 + GRACE_MS, GRACE_MS))).toEqual([['probe'], []]);
    const episodes = [{ id: 'e', part: 'probe' as const, startedAt: 5_000 }];
    expect(parts(channelChange({ ...state, episodes }, 10 * GRACE_MS, GRACE_MS))).toEqual([[], []]);
    expect(parts(channelChange({ ...state, failing: null, episodes }, 10 * GRACE_MS, GRACE_MS))).toEqual([
      [],
      ['probe'],
    ]);
  });
});
