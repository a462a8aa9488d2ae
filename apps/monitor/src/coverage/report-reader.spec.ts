import type { PartReport, SessionReport } from '#libs/contracts/monitors.js';
import type { StatusReason, StreamStatus } from '#libs/contracts/primitives.js';
import { ReportReader } from './report-reader.js';

type Parts = Partial<Record<keyof SessionReport['parts'], PartReport['state']>>;

/** Things that have come, for the counters of a report. */
interface Counts {
  captured?: number;
  inspected?: number;
  heardMs?: number;
  droppedMs?: number;
}

function report(
  parts: Parts,
  { captured = 0, inspected = 0, heardMs = 0, droppedMs = 0 }: Counts = {},
  [status, reason]: [StreamStatus, StatusReason | null] = ['live', null],
): SessionReport {
  const part = (state: PartReport['state'] = 'off'): PartReport => ({ state, detail: '', since: 0 });
  return {
    ...{ streamId: '', session: 1, generation: 1, status, reason, detail: '', startedAt: 0, lastFrameAt: null },
    ...{ inspectedFps: 0, framesCaptured: captured, framesInspected: inspected, framesDropped: 0, restarts: 0 },
    parts: { video: part(parts.video), audio: part(parts.audio), speech: part(parts.speech), chat: part(parts.chat) },
    sound: { heardMs, speechMs: 0, unheardMs: 0, segments: 0, droppedMs },
    ...{ chat: null, findingsDropped: 0 },
  };
}

const ALL_LIVE = { video: 'live', audio: 'live', speech: 'live', chat: 'live' } as const;

describe('what a report says of the parts', () => {
  it('is proven by what was inspected and heard since the last one, never by the state', () => {
    const reader = new ReportReader();
    const first = reader.read(report(ALL_LIVE, { captured: 3, inspected: 2, heardMs: 500 }), 0);
    for (const reading of [first.video, first.audio, first.speech]) {
      expect(reading).toMatchObject({ gap: null, isProven: true });
    }
    const still = reader.read(report(ALL_LIVE, { captured: 3, inspected: 2, heardMs: 500 }), 1_000);
    expect([still.video.isProven, still.audio.isProven, still.speech.isProven]).toEqual([false, false, false]);
    // A chat that is connected is read, whether anybody writes or not.
    expect(still.chat).toMatchObject({ gap: null, isProven: true });
  });

  it('calls it shed when pictures come and none is inspected, and the network when none come', () => {
    const reader = new ReportReader();
    reader.read(report(ALL_LIVE, { captured: 5, inspected: 5 }), 0);
    expect(reader.read(report(ALL_LIVE, { captured: 5, inspected: 5 }), 1_000).video.unless).toBe('network');
    expect(reader.read(report(ALL_LIVE, { captured: 9, inspected: 5 }), 2_000).video.unless).toBe('shed');
  });

  it.each<[StreamStatus, StatusReason, string]>([
    ['offline', 'offline', 'offline'],
    ['offline', 'unreachable', 'network'],
    ['starting', 'stalled', 'network'],
    ['error', 'forbidden', 'token'],
    ['error', 'geo_blocked', 'blocked'],
    ['error', 'not_a_stream', 'misconfigured'],
    ['offline', 'capture_failed', 'capture_failed'],
    ['starting', 'ended', 'offline'],
  ])('reads %s for %s as %s, of picture and sound alike', (status, reason, gap) => {
    const state = status as 'offline' | 'starting' | 'error';
    const reading = new ReportReader().read(
      report({ video: state, audio: state, speech: state }, {}, [status, reason]),
      0,
    );
    expect([reading.video.gap, reading.audio.gap, reading.speech.gap]).toEqual([gap, gap, gap]);
  });

  it('blames a missing model for what it alone should see or write down', () => {
    const counts = { captured: 1, heardMs: 100 };
    const reading = new ReportReader().read(
      report({ video: 'degraded', audio: 'live', speech: 'degraded' }, counts, ['degraded', 'model_missing']),
      0,
    );
    expect(reading.video.gap).toBe('model_missing');
    expect(reading.audio).toMatchObject({ gap: null, isProven: true });
    expect(reading.speech.gap).toBe('model_missing');
  });

  it('counts speech that was given up as long as it was', () => {
    const reader = new ReportReader();
    reader.read(report(ALL_LIVE, { heardMs: 1_000 }), 0);
    const behind = { ...ALL_LIVE, speech: 'degraded' } as const;
    const gaps = [1, 2, 3, 4, 5].map(
      (second) => reader.read(report(behind, { heardMs: 1_000 + second, droppedMs: 3_000 }), second * 1_000).speech.gap,
    );
    expect(gaps).toEqual(['shed', 'shed', 'shed', null, null]);
  });

  it('knows adverts, sound that is not there, and a chat that asks for a key', () => {
    const reading = new ReportReader().read(
      report({ video: 'degraded', audio: 'off', speech: 'off', chat: 'error' }),
      0,
    );
    expect([reading.video.gap, reading.audio.gap, reading.speech.gap, reading.chat.gap]).toEqual([
      ...['adverts', 'absent', 'absent', 'token'],
    ]);
    const lost = new ReportReader().read(report({ audio: 'degraded' }), 0);
    expect(lost.audio.gap).toBe('no_sound');
  });
});
