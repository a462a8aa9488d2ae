import { DetectionView } from '#libs/contracts/sockets.js';
import { goldenFixtures } from '#libs/testing/golden-fixtures.js';
import { bodyOf, titleOf } from './notification-texts.js';

const [video, chat] = DetectionView.array().parse(goldenFixtures('sockets')['detection']?.valid);
if (video === undefined || chat === undefined) throw new Error('the fixtures have a detection of a kind less');
const none = { box: null, objects: [], frame: null, ptsMs: null, quote: null, segmentId: null, chat: null };
const heard: DetectionView = {
  ...video,
  ...none,
  kind: 'audio',
  label: 'free offers',
  quote: { text: 'come and get your free offers today', start: 18, end: 29, view: 'plain', language: 'en' },
};
const signal: DetectionView = { ...heard, quote: null, ruleId: null, label: 'dead_air', detail: 'Silence for 12 s.' };

const textsOf = (detection: DetectionView): [string, string] => [titleOf(detection), bodyOf(detection)];
const said = (text: string, start = 0, end = 1): DetectionView => ({
  ...heard,
  quote: { text, start, end, view: 'plain', language: null },
});

describe('the texts of a notification', () => {
  it.each<[string, DetectionView, [string, string]]>([
    ['seen', video, ['person on door', 'Seen at 2026-01-01T00:00:07.500Z with a confidence of 0.91.']],
    ['read', chat, ['“free offers” in chat of door', 'foo: who wants fr33 stuff']],
    ['heard', heard, ['“free offers” said on door', 'come and get your free offers today']],
    ['a signal', signal, ['Dead air on door', 'Silence for 12 s.']],
    [
      'a signal of the chat, the line it came with being beside the point',
      { ...chat, ruleId: null, quote: null, label: 'hostile_chat', detail: 'Ten lines of abuse in a minute.' },
      ['Hostile chat on door', 'Ten lines of abuse in a minute.'],
    ],
    [
      'a signal that nobody knows yet',
      { ...signal, label: 'echo', detail: '' },
      ['echo on door', 'Heard at 2026-01-01T00:00:07.500Z.'],
    ],
    ['a keyword named like a signal', { ...heard, label: 'clipping' }, ['“clipping” said on door', bodyOf(heard)]],
  ])('say what was found: %s', (_what, detection, texts) => {
    expect(textsOf(detection)).toEqual(texts);
  });

  it('are one line without control characters, turned directions or halves of characters', () => {
    const hostile = 'a\u0000b\r\n\u001b[31mred\u202egnp.exe\u2028c\ud800d';
    const detection = { ...said(hostile), label: hostile, streamName: hostile };
    const shown = 'a b [31mredgnp.exe cd';
    expect(textsOf(detection)).toEqual([`“${shown}” said on ${shown}`, shown]);
    const author = {
      ...chat,
      chat: { before: [], after: [], message: { ...line(), username: 'm\u0007allory\n: admin' } },
    };
    expect(bodyOf(author)).toBe('m allory : admin: who wants fr33 stuff');
  });

  it('are bounded, and show what was found wherever it stands in a long text', () => {
    const filler = '😀 word '.repeat(500);
    for (const at of [0, 1_000, filler.length]) {
      const text = `${filler.slice(0, at)}NEEDLE${filler.slice(at)}`;
      const body = bodyOf(said(text, at, at + 6));
      expect(body).toContain('NEEDLE');
      expect(body.length).toBeLessThanOrEqual(300);
      expect(body).not.toMatch(/\p{Cs}/u);
    }
    const huge = { ...said('😀'.repeat(4_000), 0, 8_000), label: '😀'.repeat(100), streamName: '😀'.repeat(2_000) };
    for (const text of textsOf(huge)) {
      expect(text.length).toBeLessThanOrEqual(300);
      expect(text).not.toMatch(/\p{Cs}/u);
    }
  });

  function line() {
    const message = chat?.chat?.message;
    if (message === undefined || message === null) throw new Error('the fixture has no line');
    return message;
  }
});
