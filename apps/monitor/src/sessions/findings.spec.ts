import type { SignalRule } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import { Cooldowns } from '../pipeline/cooldowns.js';
import type { ReadFinding } from '../pipeline/finding.types.js';
import { Findings } from './findings.js';
import { KeepingSink, STREAM_ID } from './session.fixture.js';
import { SignalDesk, type SignalChange } from './signal-desk.js';

const logger = createLogger('test', 'silent');
const finding = (eventId: string): ReadFinding => ({
  ...{ eventId, kind: 'chat', ruleId: null, ruleVersion: null, label: 'x', severity: 'low', confidence: 1 },
  ...{ detector: 'phrases', model: 'phrases', detail: '', startedAt: 1, detectedAt: 1, quote: null },
  ...{ message: null, before: [] },
});

/** A sink that keeps what it is told once the test lets it. */
class SlowSink extends KeepingSink {
  readonly gates: ((safe: boolean) => void)[] = [];

  override async found(found: ReadFinding): Promise<void> {
    const safe = await new Promise<boolean>((resolve) => this.gates.push(resolve));
    if (!safe) throw new Error('The disk is full.');
    await super.found(found);
  }
}

describe('Findings', () => {
  it('lets no more than a bound wait: what is beyond gives way and is counted', async () => {
    const sink = new SlowSink();
    const findings = new Findings(sink, logger, 2);
    const kept = ['a', 'b', 'c'].map((id) => findings.found(finding(id)));
    expect(await kept[2]).toBe(false);
    expect(findings.dropped).toBe(1);
    sink.gates.forEach((open) => open(true));
    expect(await Promise.all(kept)).toEqual([true, true, false]);
    void findings.found(finding('d'));
    sink.gates.at(-1)?.(true);
    await findings.settled();
    expect(sink.findings.map(({ eventId }) => eventId)).toEqual(['a', 'b', 'd']);
  });

  it('tells what follows on a finding after it, and not at all when it was not kept', async () => {
    const sink = new SlowSink();
    const findings = new Findings(sink, logger);
    for (const id of ['a', 'b']) {
      const kept = findings.found(finding(id));
      findings.over(id, 5, kept);
      findings.followed(id, [], kept);
    }
    expect(sink.ends).toEqual([]);
    sink.gates[0]?.(true);
    sink.gates[1]?.(false);
    await findings.settled();
    expect(sink.ends).toEqual([{ eventId: 'a', endedAt: 5 }]);
    expect(sink.contexts.map(({ eventId }) => eventId)).toEqual(['a']);
    expect(findings.dropped).toBe(0);
  });
});

describe('SignalDesk', () => {
  const change = (changed: SignalChange['change'], startedMs: number): SignalChange => ({
    ...{ signal: 'dead_air', change: changed, kind: 'audio', detector: 'sound', model: 'sound', confidence: 1 },
    ...{ detail: 'Silence.', startedMs, startedAt: 1_000 + startedMs, at: 2_000 + startedMs },
  });
  const rule: SignalRule = { signal: 'dead_air', severity: 'medium', cooldownMs: 10_000 };

  async function told(ruleOf: () => SignalRule | null, ...changes: SignalChange[]): Promise<KeepingSink> {
    const sink = new KeepingSink();
    const findings = new Findings(sink, logger);
    const desk = new SignalDesk({ streamId: STREAM_ID, session: 7 }, ruleOf, new Cooldowns(), findings);
    for (const each of changes) {
      desk.tell(each);
      await findings.settled();
    }
    return sink;
  }

  it('makes one event of a beginning and its end', async () => {
    const sink = await told(() => rule, change('opened', 0), change('closed', 0));
    expect(sink.findings).toMatchObject([
      { kind: 'audio', label: 'dead_air', ruleId: null, severity: 'medium', detector: 'sound', startedAt: 1_000 },
    ]);
    expect(sink.ends).toEqual([{ eventId: sink.findings[0]?.eventId, endedAt: 2_000 }]);
  });

  it('tells a signal only when a rule asks for it, and not again while that cools down', async () => {
    expect((await told(() => null, change('opened', 0), change('closed', 0))).ends).toEqual([]);
    const both = (at: number): SignalChange[] => [change('opened', at), change('closed', at)];
    const sink = await told(() => rule, ...both(0), ...both(5_000), ...both(10_000));
    expect(sink.findings).toHaveLength(2);
    expect(new Set(sink.ends.map(({ eventId }) => eventId)).size).toBe(2);
  });
});
