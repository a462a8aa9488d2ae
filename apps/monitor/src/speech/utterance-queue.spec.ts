import { utteranceOf } from './sound.fixture.js';
import { QUEUE_DEFAULTS, UtteranceQueue, type Waiting } from './utterance-queue.js';

let at = 0;
const dropped: Waiting[] = [];
const queue = (limits = {}) =>
  new UtteranceQueue(
    () => at,
    (waiting) => dropped.push(waiting),
    { ...QUEUE_DEFAULTS, ...limits },
  );
beforeEach(() => {
  at = 0;
  dropped.length = 0;
});

describe('UtteranceQueue', () => {
  it('lets streams take turns, each in its own order', async () => {
    const waiting = queue();
    for (const startMs of [0, 1_000, 2_000]) waiting.offer('talkative', utteranceOf(1, startMs));
    waiting.offer('quiet', utteranceOf(1, 500));
    const order = [];
    while (waiting.length > 0) order.push(await waiting.take());
    expect(order.map((next) => [next?.streamId, next?.utterance.startMs])).toEqual([
      ...[
        ['talkative', 0],
        ['quiet', 500],
        ['talkative', 1_000],
        ['talkative', 2_000],
      ],
    ]);
  });

  it('drops what has waited over 20 s, and counts it for its stream alone', async () => {
    const waiting = queue();
    waiting.offer('a', utteranceOf(3));
    at = 15_000;
    waiting.offer('b', utteranceOf(1));
    at = 20_000;
    expect(waiting.lagMs).toBe(20_000);
    at = 20_001;
    expect((await waiting.take())?.streamId).toBe('b');
    expect(dropped.map(({ streamId }) => streamId)).toEqual(['a']);
    expect(waiting.coverage('a')).toEqual({ queued: 1, dropped: 1, droppedMs: 3_000 });
    expect(waiting.coverage('b')).toEqual({ queued: 1, dropped: 0, droppedMs: 0 });
  });

  it('is bounded in number and in sound; the stream with the most waiting gives way', () => {
    const few = queue({ maxWaiting: 3 });
    few.offer('quiet', utteranceOf(1));
    for (let index = 0; index < 10; index += 1) few.offer('talkative', utteranceOf(1));
    expect(few.length).toBe(3);
    expect(few.coverage('quiet').dropped).toBe(0);
    expect(few.coverage('talkative').dropped).toBe(8);
    const short = queue({ maxSoundMs: 5_000 });
    for (let index = 0; index < 4; index += 1) short.offer('a', utteranceOf(2));
    expect(short.length).toBe(2);
  });

  it('hands over at once to a reader that waits, and lets it go when aborted or closed', async () => {
    const waiting = queue();
    const next = waiting.take();
    waiting.offer('a', utteranceOf(1));
    expect((await next)?.streamId).toBe('a');
    const abort = new AbortController();
    const given = waiting.take(abort.signal);
    abort.abort();
    expect(await given).toBeNull();
    waiting.offer('a', utteranceOf(1));
    expect(waiting.length).toBe(1);
    waiting.forget('a');
    expect(waiting.length).toBe(0);
    const last = waiting.take();
    waiting.close();
    expect(await last).toBeNull();
    expect(await waiting.take()).toBeNull();
  });
});
