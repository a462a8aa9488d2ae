import { parseDemoArguments } from './arguments.js';
import { WantedKinds } from './wanted-kinds.js';
import { onAirAt, startOfAir } from './origin.js';

describe('the demo', () => {
  it('reads its flags', () => {
    expect(parseDemoArguments([])).toEqual({ json: false, help: false, until: null, timeoutMs: null });
    expect(parseDemoArguments(['--json', '--until', 'video', '--timeout', '12'])).toEqual({
      json: true,
      help: false,
      until: ['video'],
      timeoutMs: 12_000,
    });
    expect(parseDemoArguments(['--until=video'])).toMatchObject({ timeoutMs: 180_000 });
    expect(parseDemoArguments(['--until', 'chat,video, audio,chat'])).toMatchObject({
      until: ['chat', 'video', 'audio'],
    });
    expect(parseDemoArguments(['--until', 'email,acknowledged'])).toMatchObject({ until: ['email', 'acknowledged'] });
    expect(parseDemoArguments(['-h'])).toMatchObject({ help: true });
  });

  it.each([
    [['--until', 'smell'], '--until knows: video, audio, chat'],
    [['--until', 'video,,chat'], '--until knows: video, audio, chat'],
    [['--until', ''], '--until knows: video, audio, chat'],
    [['--timeout', 'soon', '--until', 'video'], '--timeout wants seconds'],
    [['--timeout', '0', '--until', 'video'], 'above 0'],
    [['--timeout', '5'], '--timeout needs --until'],
    [['--colour'], 'colour'],
    [['extra'], 'extra'],
  ])('refuses %j with a sentence', (args, sentence) => {
    expect(parseDemoArguments(args)).toContain(sentence);
  });

  it('waits for one finding of each kind, in any order', async () => {
    const wanted = new WantedKinds(['video', 'chat']);
    let done = false;
    void wanted.complete.then(() => (done = true));
    expect(['audio', 'chat', 'chat'].map((kind) => wanted.saw(kind as 'audio' | 'chat'))).toEqual([false, true, false]);
    expect(wanted.missing).toEqual(['video']);
    await Promise.resolve();
    expect(done).toBe(false);
    expect(wanted.saw('video')).toBe(true);
    await wanted.complete;
  });

  it('says what did not come, and why as far as the session tells', () => {
    const wanted = new WantedKinds(['video', 'audio', 'chat']);
    wanted.saw('video');
    const live = { state: 'live' as const, detail: '', since: 0 };
    const parts = {
      ...{ video: live, audio: live },
      speech: { ...live, state: 'degraded' as const, detail: 'The model is missing.' },
      chat: { ...live, state: 'error' as const, detail: 'Nobody answers.' },
    };
    expect(wanted.complaint(9_000, { status: 'live', parts })).toBe(
      'nothing was found within 9 s of kind audio, chat; audio is live, speech is degraded (The model is missing); ' +
        'chat is error (Nobody answers)',
    );
    expect(wanted.complaint(9_000, { status: 'pending', parts: null })).toContain('no monitor watches the stream');
    expect(wanted.complaint(9_000, null)).toContain('audio, chat');
    const mails = new WantedKinds(['email', 'acknowledged']);
    mails.saw('email');
    expect(mails.complaint(9_000, { status: 'live', parts })).toMatch(/kind acknowledged; no alert was acknowledged$/);
  });

  it('maps presentation time to the time on air, also after the 33-bit clock began anew', () => {
    const start = startOfAir('#EXTINF:2.0,\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:52:02.937+0000\nsegment0.ts\n');
    expect(start).toBe(Date.UTC(2026, 10, 22, 14, 52, 2, 937));
    expect(onAirAt(start, 3_400, start + 5_000)).toBe(start + 2_000);
    const round = 2 ** 33 / 90;
    expect(onAirAt(start, 3_400, start + round + 5_000)).toBeCloseTo(start + round + 2_000, 3);
  });
});
