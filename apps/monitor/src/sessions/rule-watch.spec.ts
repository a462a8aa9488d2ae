import { setTimeout as wait } from 'node:timers/promises';
import type { RuleSet } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import { until } from '#libs/testing/chat-time.js';
import { RuleWatch } from './rule-watch.js';
import { keywordOf, lightRule, STREAM_ID } from './session.fixture.js';

const rulesOf = (version: number, changes: Partial<RuleSet> = {}): RuleSet => ({
  ...{ v: 1, version, objects: [lightRule], keywords: [], zones: [], signals: [] },
  ...changes,
});

/** A board of one process, that counts how often the whole set is read. */
class Board {
  rules: RuleSet | null = null;
  reads = 0;
  broken = false;

  version(): Promise<number | null> {
    return this.broken ? Promise.reject(new Error('Redis is away.')) : Promise.resolve(this.rules?.version ?? null);
  }
  get(): Promise<RuleSet | null> {
    this.reads += 1;
    return Promise.resolve(this.rules);
  }
}

describe('RuleWatch', () => {
  let board: Board;
  let watch: RuleWatch;
  let hint: (hint: { version: number }) => void;
  const keywords: string[][] = [];

  beforeEach(() => {
    board = new Board();
    keywords.length = 0;
    watch = new RuleWatch(board, createLogger('test', 'silent'), (rules) =>
      keywords.push(rules.map(({ label }) => label)),
    );
  });
  afterEach(() => watch.stop());

  const start = (pollMs: number): Promise<void> =>
    watch.start(
      {
        on: (_channel, _schema, listener) => {
          hint = listener as typeof hint;
          return Promise.resolve();
        },
      },
      pollMs,
    );

  it('reads the board at a hint, and hands out zones and signals', async () => {
    await start(60_000);
    expect(watch.objects).toEqual([]);
    const zone = { id: lightRule.id, streamId: STREAM_ID, kind: 'exclude' as const, points: [], labels: [] };
    const signals = [{ signal: 'dead_air' as const, severity: 'low' as const, cooldownMs: 0 }];
    board.rules = rulesOf(1, { zones: [zone], signals, keywords: [keywordOf('word', 'alpha')] });
    hint({ version: 1 });
    await until('the rules', () => watch.objects.length === 1);
    expect(watch.zonesOf(STREAM_ID)).toEqual([zone]);
    expect(watch.zonesOf(lightRule.id)).toEqual([]);
    expect(watch.signalRule('dead_air')).toEqual(signals[0]);
    expect(watch.signalRule('clipping')).toBeNull();
    expect(keywords).toEqual([['word']]);
  });

  it('finds what a lost hint would have told by asking for the version, and reads no more than changed', async () => {
    board.rules = rulesOf(1);
    await start(5);
    board.rules = rulesOf(2, { objects: [] });
    await until('the rules', () => watch.objects.length === 0);
    await wait(30);
    expect(board.reads).toBe(2);
  });

  it('keeps what it has while the board is away or empty', async () => {
    board.rules = rulesOf(1);
    await start(5);
    board.broken = true;
    await wait(20);
    board.broken = false;
    board.rules = null;
    await wait(20);
    expect(watch.objects).toHaveLength(1);
  });
});
