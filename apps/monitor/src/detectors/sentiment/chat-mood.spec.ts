import { seeded } from '#libs/testing/chat-noise.js';
import { ChatMood, MOOD_DEFAULTS, type MoodEvent } from './chat-mood.js';
import { scoreOf } from './message-score.js';

const HOSTILE = [
  'you are pathetic',
  'shut up loser',
  'this streamer is TRASH',
  'kys',
  'what a fucking idiot',
  'ur a clown lol, unfollowed',
  'literally the worst streamer ever!!',
  'nobody likes you',
  'go away scammer',
  'LOOOOSER',
  'fuck you and your stupid mods',
  'disgusting human being',
  'shes so ugly',
  'fraud!! reported',
  'you suck so bad',
  'cheater, absolute garbage player',
  'stfu dumbass',
  'i hate you',
  'worthless',
  'not funny, just cringe and sad',
];
const CALM = [
  'hello everyone',
  'what game is this?',
  'gg wp',
  'that boss killed me five times yesterday',
  'lmaooo',
  'this is insane',
  'not bad at all',
  'sick play!!',
  'bro is dead LUL',
  'shit that was close',
  'i love this song',
  'wtf how did he survive',
  'when is the next stream',
  '?????',
  'holy fuck what a shot',
  'never hated a level more than this one haha',
  'this is not trash, it is great',
  'Scunthorpe United',
  'fight fight fight',
  'can you play the other one please',
];

describe('the score of a message', () => {
  it.each(HOSTILE)('of "%s" is hostile', (text) => {
    expect(scoreOf(text)).toBeLessThanOrEqual(MOOD_DEFAULTS.hostileScore);
  });

  it.each(CALM)('of "%s" is not', (text) => {
    expect(scoreOf(text)).toBeGreaterThan(MOOD_DEFAULTS.hostileScore);
  });

  it('says nothing of what is not written in Latin letters, and nothing bad of other languages', () => {
    expect(scoreOf('ты просто идиот')).toBeNull();
    expect(scoreOf('お前は最悪だ')).toBeNull();
    expect(scoreOf('du bist ein Vollidiot')).toBe(0);
  });

  it('stays within -1 and 1 whatever it is given, and takes no longer for it', () => {
    for (const text of ['', ' ', '!'.repeat(5_000), 'idiot '.repeat(5_000), 'love!'.repeat(900), 'a'.repeat(100_000)]) {
      const score = scoreOf(text);
      expect(Math.abs(score ?? 0)).toBeLessThanOrEqual(1);
    }
  });

  it('is turned by a negation before the word, and not by one in another clause', () => {
    expect(scoreOf('you are not stupid')).toBeGreaterThan(0);
    expect(scoreOf('you are not, stupid')).toBeLessThan(0);
  });

  it('grows with emphasis', () => {
    const [plain, boosted, shouted, marked] = [
      'you are stupid',
      'you are so stupid',
      'you are STUPID',
      'you are stupid!!!',
    ].map((text) => scoreOf(text) ?? 0);
    for (const stronger of [boosted, shouted, marked]) expect(stronger).toBeLessThan(plain ?? 0);
  });
});

describe('the mood of a chat', () => {
  let mood: ChatMood;
  let atMs: number;
  let count: number;
  let events: MoodEvent[];

  beforeEach(() => {
    mood = new ChatMood();
    [atMs, count, events] = [1_700_000_000_000, 0, []];
  });

  /** Lets people write, one message each so many ms. */
  function write(messages: number, everyMs: number, hostileOf: (index: number) => boolean): void {
    for (let index = 0; index < messages; index += 1) {
      atMs += everyMs;
      count += 1;
      const lines = hostileOf(index) ? HOSTILE : CALM;
      const text = lines[index % lines.length] ?? '';
      events.push(...mood.hear({ externalId: `m${count}`, kind: 'text', text }, atMs));
    }
  }
  function pass(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) events.push(...mood.tick((atMs += 1_000)));
  }

  it('is calm while a few are not', () => {
    write(500, 500, (index) => index % 6 === 0);
    expect(events).toEqual([]);
    expect(mood.figures().share).toBeCloseTo(1 / 6, 1);
  });

  it('turns once when the room does, tells whose messages, and turns back once', () => {
    write(100, 500, () => false);
    write(60, 500, () => true);
    expect(events).toMatchObject([{ kind: 'hostile_chat', change: 'opened', endedAtMs: null }]);
    const [opened] = events;
    expect(opened?.examples).toHaveLength(5);
    expect(opened?.examples.every((id) => Number(id.slice(1)) > 100)).toBe(true);
    write(400, 500, () => false);
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ change: 'closed', startedAtMs: opened?.startedAtMs });
    expect(events[1]?.endedAtMs).toBeGreaterThan(opened?.startedAtMs ?? Infinity);
    expect(mood.isHostile).toBe(false);
  });

  it('does not turn to and fro between its two thresholds', () => {
    write(100, 500, () => false);
    write(100, 500, (index) => index % 2 === 0);
    for (let round = 0; round < 20; round += 1) write(20, 500, (index) => index % 100 < 5 + (round % 2) * 2);
    expect(events.map(({ change }) => change)).toEqual(['opened']);
  });

  it('says nothing of a few messages', () => {
    write(8, 500, () => true);
    pass(60);
    expect(events).toEqual([]);
  });

  it('is over when the room falls silent', () => {
    write(60, 500, () => true);
    pass(300);
    expect(events.map(({ change }) => change)).toEqual(['opened', 'closed']);
  });

  it('ends with the chat', () => {
    write(60, 500, () => true);
    events.push(...mood.close(atMs));
    expect(events.at(-1)).toMatchObject({ change: 'closed', endedAtMs: atMs });
    expect(mood.figures()).toEqual({ messages: 0, share: 0 });
  });

  it('does not count what the platform says, nor what it cannot read', () => {
    for (let index = 0; index < 100; index += 1) {
      atMs += 500;
      events.push(...mood.hear({ externalId: 's', kind: 'system', text: 'you idiot' }, atMs));
      events.push(...mood.hear({ externalId: 'r', kind: 'text', text: 'идиот' }, atMs));
    }
    expect(mood.figures().messages).toBe(0);
    expect(events).toEqual([]);
  });

  it('opens and closes in turn and never out of its bounds, whatever comes when', () => {
    const random = seeded(20_261_122);
    for (let index = 0; index < 50_000; index += 1) {
      atMs += (random() - 0.2) * (random() < 0.001 ? 600_000 : 1_000);
      const lines = random() < 0.3 + 0.3 * Math.sin(index / 2_000) ? HOSTILE : CALM;
      const text = lines[Math.floor(random() * lines.length)] ?? '';
      events.push(...mood.hear({ externalId: `m${index}`, kind: 'text', text }, atMs));
      const { share, messages } = mood.figures();
      if (!(share >= 0 && share <= 1 && messages >= 0 && messages < 1e6)) throw new Error(`${share} of ${messages}`);
    }
    const changes = events.map(({ change }) => change);
    expect(changes.length).toBeGreaterThan(2);
    expect(changes.every((change, index) => change === (index % 2 === 0 ? 'opened' : 'closed'))).toBe(true);
  });
});
