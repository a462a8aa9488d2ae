import { randomUUID } from 'node:crypto';
import type { QueuedCapture } from '#libs/bus/capture-queue.js';
import type { MonitorHeartbeat, SessionReport } from '#libs/contracts/monitors.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { align, sessionsOf } from './alignment.js';

function stream(fields: Partial<StreamEntity> = {}): StreamEntity {
  const row = {
    id: randomUUID(),
    desired: true,
    generation: 3,
    session: '7',
    status: 'pending',
    reason: null,
  } as const;
  return Object.assign(new StreamEntity(), row, fields);
}

function capture(row: StreamEntity, fields: Partial<QueuedCapture> = {}): [string, QueuedCapture] {
  return [row.id, { streamId: row.id, generation: row.generation, state: 'active', ...fields }];
}

const part = { state: 'live', detail: '', since: 0 } as const;

function monitor(sessions: { streamId: string; generation: number; session?: number }[] = []): MonitorHeartbeat {
  return {
    v: 1,
    monitorId: 'm1',
    host: 'h',
    pid: 1,
    version: '0',
    startedAt: 0,
    at: 0,
    capacity: 5,
    platforms: [],
    chatSources: [],
    detectors: [],
    spool: { pending: 0, bytes: 0, shedFrames: 0, shedRecords: 0 },
    egress: { refused: 0, requests: 0, bytes: 0 },
    proxies: [],
    sessions: sessions.map((session): SessionReport => ({
      session: 1,
      status: 'live',
      reason: null,
      detail: '',
      startedAt: 0,
      lastFrameAt: 0,
      parts: { video: part, audio: part, speech: part, chat: part },
      sound: null,
      chat: null,
      findingsDropped: 0,
      inspectedFps: 1,
      framesCaptured: 0,
      framesInspected: 0,
      framesDropped: 0,
      restarts: 0,
      ...session,
    })),
  };
}

const reportOf = (row: StreamEntity): MonitorHeartbeat => monitor([{ streamId: row.id, generation: row.generation }]);

describe('alignment of captures with what should be watched', () => {
  it('does nothing where all is as it should be', () => {
    const row = stream({ status: 'live' });
    expect(align({ desired: [row], captures: new Map([capture(row)]), monitors: [reportOf(row)] })).toEqual({
      add: [],
      stop: [],
      pending: [],
      replacing: 0,
    });
  });

  it('adds what should run and does not', () => {
    const row = stream();
    expect(align({ desired: [row], captures: new Map(), monitors: [monitor()] }).add).toEqual([row]);
  });

  it('stops what runs and should not, up to the generation that runs', () => {
    const row = stream();
    const { stop, add } = align({ desired: [], captures: new Map([capture(row)]), monitors: [monitor()] });
    expect(stop).toEqual([{ streamId: row.id, upToGeneration: 3 }]);
    expect(add).toEqual([]);
  });

  it('stops a capture of an older generation and looks again soon', () => {
    const row = stream();
    const captures = new Map([capture(row, { generation: 2 })]);
    const { stop, add, replacing } = align({ desired: [row], captures, monitors: [monitor()] });
    expect(stop).toEqual([{ streamId: row.id, upToGeneration: 2 }]);
    expect(add).toEqual([]);
    expect(replacing).toBe(1);
  });

  it('stops sessions that have no job any more, as after a wiped Redis', () => {
    const gone = monitor([{ streamId: randomUUID(), generation: 4 }]);
    const streamId = gone.sessions[0]?.streamId;
    expect(align({ desired: [], captures: new Map(), monitors: [gone] }).stop).toEqual([
      { streamId, upToGeneration: 4 },
    ]);
  });

  it('says once that there is no monitor, and takes it back when there is one', () => {
    const row = stream();
    const captures = new Map([capture(row, { state: 'waiting' })]);
    expect(align({ desired: [row], captures, monitors: [] }).pending).toMatchObject([{ reason: 'no_monitor' }]);
    const told = stream({ reason: 'no_monitor' });
    expect(align({ desired: [told], captures: new Map([capture(told)]), monitors: [] }).pending).toEqual([]);
    expect(align({ desired: [told], captures: new Map([capture(told)]), monitors: [monitor()] }).pending).toMatchObject(
      [{ reason: null }],
    );
  });

  it('says that a stream is taken over when its monitor is gone and its job waits again', () => {
    const row = stream({ status: 'live' });
    const captures = new Map([capture(row, { state: 'waiting' })]);
    expect(align({ desired: [row], captures, monitors: [monitor()] }).pending).toMatchObject([
      { reason: 'restarting' },
    ]);
  });

  it('takes the newest of two sessions of one stream', () => {
    const streamId = randomUUID();
    const sessions = sessionsOf([
      monitor([{ streamId, generation: 1, session: 9 }]),
      monitor([{ streamId, generation: 1, session: 8 }]),
    ]);
    expect(sessions.get(streamId)?.report.session).toBe(9);
  });
});
