import { setTimeout as wait } from 'node:timers/promises';
import type { ChatMessage } from '#libs/contracts/chat.js';
import { createLogger } from '#libs/observability/logger.js';
import { ChatIrcServer, privmsg } from '#libs/testing/chat-irc-server.js';
import { until } from '#libs/testing/chat-time.js';
import { systemClock } from '../capture/clock.js';
import { CHAT_LANE_LIMITS } from '../chat/chat-source.port.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from '../chat/registry.js';
import { ChatSupervisor } from '../chat/supervisor.js';
import { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import { EgressProxy } from '../egress/egress-proxy.js';
import { Cooldowns } from '../pipeline/cooldowns.js';
import { ChatWatch, type ChatMoodReader, type ChatWatchParts } from './chat-watch.js';
import { Findings } from './findings.js';
import { jobOf, keywordOf, KeepingSink, STREAM_ID } from './session.fixture.js';
import { SignalDesk } from './signal-desk.js';

const logger = createLogger('test', 'silent');
const twitch = { platform: 'twitch', channel: 'room', options: {} };

const pushed = (id: string, text: string, changes: Partial<ChatMessage> = {}): ChatMessage => ({
  ...{ platform: 'own', streamId: STREAM_ID, externalId: id, userId: 'u', username: 'ann', roles: [], text },
  ...{ sentAt: Date.now(), receivedAt: Date.now(), kind: 'text' },
  ...changes,
});

/** Real: the supervisor, the socket, the lane, the phrase engine. */
describe('ChatWatch', () => {
  let server: ChatIrcServer;
  let egress: EgressProxy;
  let chats: ChatSupervisor;
  let keywords: KeywordWatch;
  let sink: KeepingSink;
  let findings: Findings;
  let ending: AbortController;
  let running: Promise<void>;
  let push: (messages: readonly ChatMessage[]) => void;

  beforeEach(async () => {
    server = await ChatIrcServer.start();
    egress = await EgressProxy.start({ allow: server.hosts, limits: { bytesPerSecond: 1e9, byteBurst: 1e9 } });
    const sources = registerChatSources({ ...PUBLIC_CHAT_SERVERS, twitchIrc: server.url });
    chats = new ChatSupervisor({ sources, clock: systemClock, random: () => 0, logger });
    keywords = new KeywordWatch(logger);
    sink = new KeepingSink();
    findings = new Findings(sink, logger);
    ending = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    ending.abort();
    await running;
    await Promise.all([chats.stop(), keywords.stop()]);
    await egress.stop();
    await server.stop();
  });

  async function watch(
    chat: typeof twitch | null,
    rules = [keywordOf('word', 'alpha')],
    changes: Partial<ChatWatchParts> = {},
  ): Promise<ChatWatch> {
    keywords.update(rules);
    await keywords.settled();
    const cooldowns = new Cooldowns();
    const rule = { signal: 'hostile_chat', severity: 'high', cooldownMs: 0 } as const;
    const signals = new SignalDesk({ streamId: STREAM_ID, session: 7 }, () => rule, cooldowns, findings);
    const watched = new ChatWatch(jobOf({ chat }), {
      ...{ chats, keywords, cooldowns, findings, signals, logger, mood: null, now: Date.now },
      openLane: () => egress.open(STREAM_ID, CHAT_LANE_LIMITS),
      pushes: { on: (_, listener) => ((push = listener), () => (push = () => undefined)) },
      ...changes,
    });
    running = watched.run(ending.signal);
    return watched;
  }
  const found = (count: number): Promise<void> => until('the finding', () => sink.findings.length === count);

  it('finds a keyword with the lines around it, told in two goes', async () => {
    const watched = await watch(twitch);
    await until('live', () => watched.part.state === 'live');
    for (let index = 0; index < 12; index += 1) server.say({ id: `b${index}`, user: 'bob', text: `before ${index}` });
    server.say({ id: 'hit', user: 'ann', text: 'say 4lpha now' });
    await found(1);
    const [finding] = sink.findings;
    expect(finding).toMatchObject({
      ...{ kind: 'chat', label: 'word', detector: 'phrases', model: 'phrases', severity: 'high' },
      message: { externalId: 'hit', username: 'ann' },
      quote: { text: 'say 4lpha now', start: 4, end: 9, view: 'leet', language: null },
    });
    expect(finding?.confidence).toBeLessThan(1);
    expect(finding?.kind === 'chat' ? finding.before.map(({ text }) => text) : []).toEqual(
      Array.from({ length: 10 }, (_, index) => `before ${index + 2}`),
    );
    // The server gives an hour that is long past.
    expect(Math.abs((finding?.startedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    for (let index = 0; index < 11; index += 1) server.say({ id: `a${index}`, user: 'bob', text: `after ${index}` });
    await until('the context', () => sink.contexts.length === 1);
    expect(sink.contexts[0]?.after.map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, (_, index) => `after ${index}`),
    );
    expect(sink.contexts[0]?.eventId).toBe(finding?.eventId);
  });

  it('reads lines that are sent in beside a chat that is followed, and each but once', async () => {
    const watched = await watch(twitch);
    await until('live', () => watched.part.state === 'live');
    server.say({ id: 'one', user: 'ann', text: 'alpha' });
    await found(1);
    push([pushed('one', 'alpha', { platform: 'twitch' }), pushed('two', 'alpha'), pushed('two', 'alpha')]);
    await found(2);
    push([pushed('three', 'alpha'), pushed('gone', 'alpha', { kind: 'deleted' })]);
    await found(3);
    expect(watched.figures()).toMatchObject({ received: 6, duplicates: 2, dropped: 0 });
    ending.abort();
    await running;
    await findings.settled();
    expect(sink.contexts.map(({ after }) => after.length)).toEqual([3, 2, 1]);
  });

  it('gives one line the same event whoever reads it, and no other line', async () => {
    const ids: string[][] = [];
    for (let round = 0; round < 2; round += 1) {
      await watch(null);
      push([pushed('one', 'alpha'), pushed('two', 'alpha')]);
      await found(2);
      ids.push(sink.findings.splice(0).map(({ eventId }) => eventId));
      ending.abort();
      await running;
      ending = new AbortController();
    }
    expect(ids[0]).toEqual(ids[1]);
    expect(new Set(ids[0]).size).toBe(2);
  });

  it('says what it waits for, and what somebody must change', async () => {
    const unknown = await watch({ ...twitch, platform: 'nowhere' });
    await until('the error', () => unknown.part.state === 'error');
    expect(unknown.part.report().detail).toBe('There is no chat source named nowhere.');
    ending.abort();
    await running;
    ending = new AbortController();
    const alone = await watch(null);
    await until('the state', () => alone.part.state === 'off');
    push([pushed('one', 'alpha')]);
    expect(alone.part.state).toBe('live');
    await found(1);
  });

  it('tells one finding of a rule while that cools down', async () => {
    await watch(null, [keywordOf('cool', 'alpha', { cooldownMs: 60_000 }), keywordOf('hot', 'beta')]);
    push([pushed('one', 'alpha beta'), pushed('two', 'alpha beta'), pushed('three', 'alpha beta')]);
    await found(4);
    expect(sink.labelled('cool')).toHaveLength(1);
  });

  it('shows every line to whoever reads the mood of the room, and tells what it says as a signal', async () => {
    const lines: string[] = [];
    const said = { kind: 'hostile_chat', startedAtMs: Date.now(), peakShare: 0.8, detail: 'It is angry.' } as const;
    const mood: ChatMoodReader = {
      hear: ({ text }) => (lines.push(text) === 2 ? [{ ...said, change: 'opened', endedAtMs: null }] : []),
      tick: () => [],
      close: (at) => [{ ...said, change: 'closed', endedAtMs: at }],
    };
    await watch(null, [], { mood });
    push([pushed('one', 'calm'), pushed('two', 'angry')]);
    await found(1);
    expect(sink.findings).toMatchObject([
      { label: 'hostile_chat', kind: 'chat', detector: 'sentiment', message: null },
    ]);
    ending.abort();
    await running;
    await findings.settled();
    expect(sink.ends).toHaveLength(1);
  });

  /** What a flood of two seconds did to one room. Times in ms; `late` from the sending of a line to its matching. */
  interface Flood {
    tookMs: number;
    late: { p50: number; p99: number; worst: number };
    longestPauseMs: number;
    matched: number;
    dropped: number;
  }

  /** Sends 10,000 lines in two seconds: most of them plain, one in ten evasive, one in fifty a find. */
  async function flood(find: (text: string) => ReturnType<KeywordWatch['inChat']>): Promise<Flood> {
    const startedAt = performance.now();
    const late: number[] = [];
    const inChat = (text: string): ReturnType<KeywordWatch['inChat']> => {
      late.push(performance.now() - startedAt - Number(/^at (\d+)/.exec(text)?.[1] ?? 0));
      return find(text);
    };
    const watched = await watch(twitch, rules, { keywords: { inChat } });
    await until('live', () => watched.part.state === 'live');
    let [longestPauseMs, last, done] = [0, performance.now(), false];
    const watching = (async (): Promise<void> => {
      while (!done) {
        await wait(1);
        longestPauseMs = Math.max(longestPauseMs, performance.now() - last);
        last = performance.now();
      }
    })();
    const sendingAt = performance.now();
    for (let sent = 0; sent < 10_000; sent += 50) {
      // The pace is held by what was sent, not by the timer.
      while (performance.now() - sendingAt < sent / 5) await wait(1);
      for (let index = sent; index < sent + 50; index += 1) {
        const words = index % 50 === 0 ? `sc\u0430m${index} offer${index}` : index % 10 === 0 ? 'th1s 0ne' : 'line';
        const text = `at ${Math.round(performance.now() - startedAt)} message ${index} of very many, ${words}`;
        server.server.broadcast(`${privmsg('#room', { id: `m${index}`, user: `user${index % 500}`, text })}\r\n`);
      }
    }
    await until('the last', () => late.length + watched.figures().dropped === 10_000, 20_000);
    const tookMs = performance.now() - sendingAt;
    done = true;
    await watching;
    await findings.settled();
    late.sort((a, b) => a - b);
    const part = (share: number): number => late[Math.ceil(late.length * share) - 1] ?? 0;
    const { received, dropped } = watched.figures();
    expect(received).toBe(10_000);
    ending.abort();
    await running;
    ending = new AbortController();
    return {
      ...{ tookMs, longestPauseMs, dropped, matched: late.length },
      late: { p50: part(0.5), p99: part(0.99), worst: part(1) },
    };
  }

  const rules = Array.from({ length: 10_000 }, (_, index) => keywordOf(`${index}`, `scam${index} offer${index}`));

  it('matches 5,000 lines a second against 10,000 keywords and leaves the event loop to others', async () => {
    const bare = await flood(() => []);
    const full = await flood((text) => keywords.inChat(text));
    const { late, matched, dropped, longestPauseMs, tookMs } = full;
    const shown = [late.p50, late.p99, late.worst, bare.late.p99, longestPauseMs, tookMs].map(Math.round);
    process.stderr.write(
      `chat flood: ${matched} matched, ${dropped} dropped, ${sink.findings.length} found; from sending to matching ` +
        `p50 ${shown[0]} ms, p99 ${shown[1]} ms, worst ${shown[2]} ms (p99 without keywords ${shown[3]} ms); ` +
        `longest pause ${shown[4]} ms of ${shown[5]} ms\n`,
    );
    expect(matched + dropped).toBe(10_000);
    // Of those that were not dropped, each line that holds a keyword was found.
    expect(sink.findings.length + findings.dropped).toBeGreaterThanOrEqual(Math.max(0, 200 - dropped));
    // 50 ms above what the way takes without any keywords; where the machine is slower than the flood, as much more.
    expect(late.p99).toBeLessThan((bare.late.p99 + 50) * Math.max(1, tookMs / 2_000) * 2);
    expect(longestPauseMs / tookMs).toBeLessThan(0.1);
  }, 60_000);
});
