import { CaptureJob } from '#libs/contracts/captures.js';
import { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { createLogger } from '#libs/observability/logger.js';
import { goldenFixture } from '#libs/testing/golden-fixtures.js';
import { Claims } from './claims.js';

const golden = MonitorHeartbeat.parse(goldenFixture('monitors', 'MonitorHeartbeat'));
const load = {
  ...{ cpu: 0.1, ownCores: 0.1, memoryFreeMb: 9_000, rssMb: 100, heapMb: 50, eventLoopP99Ms: 11, inference: null },
  ...{ room: 10, limitedBy: 'cpu' as const, detail: 'Room for 10 more streams, as far as processor time goes.' },
};
const [session] = golden.sessions;
const sessions = (count: number): MonitorHeartbeat['sessions'] =>
  session === undefined ? [] : Array.from({ length: count }, () => session);
const monitor = (monitorId: string, changes: Partial<MonitorHeartbeat> = {}): MonitorHeartbeat => {
  const beat = { ...golden, monitorId, load, sessions: [], ...changes };
  return { ...beat, capacity: beat.sessions.length + (beat.load?.room ?? 0) };
};
const job = (index: number, changes: Partial<CaptureJob> = {}): CaptureJob => ({
  ...CaptureJob.parse(goldenFixture('captures', 'CaptureJob')),
  ...{ streamId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`, platform: 'url', parts: ['video'] },
  ...changes,
});

describe('Claims', () => {
  let own: MonitorHeartbeat;
  let others: MonitorHeartbeat[];
  let jobs: CaptureJob[];
  let now: number;
  let handedBack: { streamId: string; reason: string }[];
  let claims: Claims;

  async function open(): Promise<void> {
    claims = new Claims({
      directory: { list: () => Promise.resolve([own, ...others]) },
      own: () => own,
      detectors: { video: 'yolo', speech: 'whisper' },
      now: () => now,
      logger: createLogger('claims', 'silent'),
    });
    await claims.start({
      get jobs() {
        return jobs;
      },
      handBack: (streamId, reason) => {
        handedBack.push({ streamId, reason });
        return Promise.resolve();
      },
    });
    await claims.stop();
  }

  beforeEach(() => {
    [others, jobs, now, handedBack] = [[], [], 1_000_000, []];
    own = monitor('m1');
  });

  it('takes sooner the more room there is', async () => {
    await open();
    const empty = claims.pauseMs() ?? NaN;
    own = monitor('m1', { sessions: sessions(30) });
    expect(claims.pauseMs()).toBeGreaterThan(empty * 2);
  });

  it('takes nothing when it is full and another is not, but something when all are', async () => {
    own = monitor('m1', { load: { ...load, room: 0 } });
    others = [monitor('m2')];
    await open();
    expect(claims.pauseMs()).toBeNull();
    others = [monitor('m2', { load: { ...load, room: 0 } })];
    await open();
    expect(claims.pauseMs()).toBe(500);
    own = monitor('m1', { load: { ...load, room: 0, limitedBy: 'memory' } });
    expect(claims.pauseMs()).toBeNull();
  });

  it('leaves a stream to the monitor that has its platform, unless nobody has', async () => {
    const rare = job(1, { platform: 'rare' });
    others = [monitor('m2')];
    await open();
    expect(claims.refuses(rare)).toBeNull();
    others = [monitor('m2', { platforms: [{ id: 'rare', title: 'Rare', options: {} }], load: { ...load, room: 0 } })];
    await open();
    expect(claims.refuses(rare)).toBe('It needs the platform "rare", which m2 has.');
    expect(claims.refuses({ ...rare, parts: ['chat'] })).toBeNull();
    expect(claims.refuses(job(2))).toBeNull();
  });

  it('leaves a stream to the monitor whose detector works, if that has room', async () => {
    const [detector] = golden.detectors;
    if (detector === undefined) throw new Error('The fixture has a detector.');
    own = monitor('m1', { detectors: [{ ...detector, state: 'degraded' }] });
    others = [monitor('m2')];
    await open();
    expect(claims.refuses(job(1))).toBe('It needs the detector "yolo", which m2 has.');
    others = [monitor('m2', { load: { ...load, room: 0 } })];
    await open();
    expect(claims.refuses(job(1))).toBeNull();
  });

  it('hands back one at a time, the least urgent, when it has more than its share', async () => {
    own = monitor('m1', { sessions: sessions(10) });
    jobs = Array.from({ length: 10 }, (_, index) => job(index, { priority: index === 4 ? 9 : 2 }));
    others = [monitor('m2')];
    await open();
    expect(handedBack).toEqual([
      { streamId: jobs[4]?.streamId, reason: expect.stringContaining('Other monitors have more room') as string },
    ]);
    expect(claims.pauseMs()).toBeNull();
    now += 3_001;
    expect(claims.pauseMs()).not.toBeNull();
  });

  it('hands back what a monitor that came later does better, and nothing to one that has just started', async () => {
    jobs = [job(1, { platform: 'rare' })];
    const platforms = [{ id: 'rare', title: 'Rare', options: {} }];
    others = [monitor('m2', { platforms, startedAt: golden.at - 100 })];
    await open();
    expect(handedBack).toEqual([]);
    others = [monitor('m2', { platforms })];
    await open();
    expect(handedBack).toEqual([{ streamId: jobs[0]?.streamId, reason: expect.stringContaining('m2') as string }]);
  });

  it('remembers why, a bounded number of times, and says the same of the same refusal once', async () => {
    await open();
    const streamId = job(1).streamId;
    claims.decided(streamId, 'taken', 'It waited, and there was room.');
    expect(claims.whyOf(streamId)).toContain('Room for 10 more streams');
    for (let index = 0; index < 100; index += 1) claims.decided(job(2).streamId, 'refused', 'Not here.');
    expect(claims.decisions.map(({ action }) => action)).toEqual(['taken', 'refused']);
    for (let index = 0; index < 100; index += 1) claims.decided(job(index).streamId, 'taken', 'It waited.');
    expect(claims.decisions).toHaveLength(50);
  });
});
