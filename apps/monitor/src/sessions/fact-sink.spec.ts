import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fact } from '#libs/contracts/facts.js';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { createLogger } from '#libs/observability/logger.js';
import { Spool } from '../outbox/spool.js';
import { nameBasedId } from '../pipeline/event-id.js';
import type { HeardFinding } from '../pipeline/finding.types.js';
import { samplesOfWav } from '../speech/wav.js';
import { FactSink } from './fact-sink.js';
import { jobOf } from './session.fixture.js';

const id = nameBasedId('test', 1);
const heard: HeardFinding = {
  ...{ eventId: id, kind: 'audio', ruleId: id, ruleVersion: 2, label: 'word', severity: 'high', confidence: 0.9 },
  ...{ detector: 'phrases', model: 'whisper-tiny', detail: '', startedAt: 1_000, detectedAt: 3_000, segmentId: id },
  quote: { text: 'say alpha', start: 4, end: 9, view: 'plain', language: 'en' },
  pcm: Int16Array.from([1, -2, 3]),
};

describe('FactSink', () => {
  let directory: string;
  let spool: Spool;
  let store: EvidenceStore;
  let sink: FactSink;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-sink-'));
    spool = await Spool.open({ directory: join(directory, 'spool'), maxBytes: 2 ** 20 });
    store = createEvidenceStore(pathToFileURL(join(directory, 'evidence')).href);
    const origin = { job: jobOf({}), session: 7, monitorId: 'm', detector: 'yolo', model: () => 'yolox' };
    sink = new FactSink(origin, spool, store, createLogger('test', 'silent'));
  });
  afterEach(async () => {
    await spool.close();
    await rm(directory, { recursive: true });
  });

  const facts = async (): Promise<Fact[]> =>
    (await spool.read(1, 100, 1e6)).map(({ json }) => Fact.parse(JSON.parse(json)));

  it('keeps what was said as a clip, and all else as facts that fit the contract', async () => {
    await sink.written({
      ...{ segmentId: id, text: 'say alpha', language: null, engine: 'sherpa', model: 'whisper-tiny', vadMean: 0.9 },
      ...{ filters: [], startedAt: 1_000, endedAt: 2_500 },
    });
    await sink.found(heard);
    const line = { platform: 'own', externalId: 'x', userId: '', username: '', roles: [], text: 'alpha', sentAt: 1 };
    const message = { ...line, kind: 'text' as const };
    const { pcm: _pcm, segmentId: _segment, ...rest } = heard;
    await sink.found({ ...rest, kind: 'chat', message, before: [message] });
    await sink.followed(id, [message]);
    await sink.over(id, 5_000);
    const written = await facts();
    expect(written.map(({ type }) => type)).toEqual([
      ...['transcript.written', 'detection.opened', 'detection.opened', 'detection.context', 'detection.closed'],
    ]);
    expect(written[1]).toMatchObject({ kind: 'audio', clipKey: `${id}.wav`, evidenceKey: null, session: 7 });
    expect(written[2]).toMatchObject({ kind: 'chat', clipKey: null, before: [{ text: 'alpha' }] });
    const clip = await store.read(`${id}.wav`);
    expect([...samplesOfWav(clip ?? Buffer.alloc(0), 'clip')]).toEqual([1, -2, 3]);
  });

  it('sheds the clip and keeps the record when the spool is nearly full', async () => {
    spool.pressure = () => ({ ratio: 0.9, shedFrames: true });
    await sink.found(heard);
    expect(await facts()).toMatchObject([{ type: 'detection.opened', clipKey: null }]);
    expect(spool.stats.shedFrames).toBe(1);
    expect(await readdir(join(directory, 'evidence')).catch(() => [])).toEqual([]);
  });
});
