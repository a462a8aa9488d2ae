import { parseIrcLine } from './irc-line.js';
import { toDraft } from './twitch-message.js';

function draft(line: string): ReturnType<typeof toDraft> {
  const parsed = parseIrcLine(line);
  return parsed === null ? null : toDraft(parsed);
}

describe('a message of Twitch', () => {
  it('is read from the line that the documentation shows', () => {
    expect(
      draft(
        '@badge-info=;badges=moderator/1;color=#1E90FF;display-name=Foo;emotes=25:0-4;id=885196de;mod=1;room-id=123;' +
          'tmi-sent-ts=1642696567751;user-id=456 :foo!foo@foo.tmi.twitch.tv PRIVMSG #chan :Kappa hi',
      ),
    ).toEqual({
      externalId: '885196de',
      userId: '456',
      username: 'foo',
      roles: ['moderator'],
      text: 'Kappa hi',
      fragments: [
        { type: 'emote', text: 'Kappa', emoteId: '25' },
        { type: 'text', text: ' hi' },
      ],
      sentAt: 1_642_696_567_751,
      kind: 'text',
    });
  });

  it.each([
    ['an action', '@id=1 :a!a@a PRIVMSG #c :\x01ACTION waves\x01', { kind: 'text', text: 'waves' }],
    ['an action without its end', '@id=1 :a!a@a PRIVMSG #c :\x01ACTION waves', { text: 'waves' }],
    ['bits', '@id=1;bits=100 :a!a@a PRIVMSG #c :cheer100', { kind: 'tip', tip: { amount: 100, currency: 'bits' } }],
    [
      'roles',
      '@id=1;badges=broadcaster/1,founder/0,glhf/1,partner/1 :a PRIVMSG #c :x',
      { roles: ['broadcaster', 'subscriber', 'verified'] },
    ],
    ['a role named after nothing we know', '@id=1;badges=constructor/1,__proto__/1 :a PRIVMSG #c :x', { roles: [] }],
    ['no time', '@id=1;tmi-sent-ts=soon :a PRIVMSG #c :x', { sentAt: null }],
    [
      'a subscription with words',
      String.raw`@id=2;login=ann;user-id=7;msg-id=resub;system-msg=ann\ssubscribed :tmi.twitch.tv USERNOTICE #c :nice stream`,
      { kind: 'system', text: 'nice stream', username: 'ann', userId: '7' },
    ],
    [
      'a subscription without',
      String.raw`@id=2;login=ann;msg-id=sub;system-msg=ann\ssubscribed :tmi.twitch.tv USERNOTICE #c`,
      { kind: 'system', text: 'ann subscribed' },
    ],
    [
      'one message taken back',
      '@login=ann;target-msg-id=abc;tmi-sent-ts=5 :tmi.twitch.tv CLEARMSG #c :bad words',
      { kind: 'deleted', externalId: 'deleted:abc', target: { messageId: 'abc' }, text: '', username: 'ann' },
    ],
    [
      'all of one user taken back',
      '@ban-duration=1;target-user-id=7;tmi-sent-ts=5 :tmi.twitch.tv CLEARCHAT #c :ann',
      { kind: 'deleted', externalId: 'cleared:7:5', target: { userId: '7' }, username: 'ann' },
    ],
    ['the whole chat taken back', '@tmi-sent-ts=5 :tmi.twitch.tv CLEARCHAT #c', { kind: 'deleted', target: {} }],
  ])('%s', (_title, line, parts) => {
    expect(draft(line)).toMatchObject(parts);
  });

  it('counts emotes in code points, not in UTF-16 units', () => {
    expect(draft('@id=1;emotes=25:2-6 :a PRIVMSG #c :😀 Kappa')?.fragments).toEqual([
      { type: 'text', text: '😀 ' },
      { type: 'emote', text: 'Kappa', emoteId: '25' },
    ]);
  });

  it.each(['25:0-99', '25:4-0', '25:0-4,3-6', 'x', '25:a-b'])(
    'does without fragments when the tag %p does not fit',
    (emotes) => {
      expect(draft(`@id=1;emotes=${emotes} :a PRIVMSG #c :Kappa hi`)).not.toHaveProperty('fragments');
    },
  );

  it.each([
    '@id=1 :a PRIVMSG #c',
    ':a PRIVMSG #c :no id',
    ':x CLEARMSG #c :y',
    ':x CLEARCHAT #c',
    ':x USERNOTICE #c',
    'PING :x',
  ])('%p is none', (line) => {
    expect(draft(line)).toBeNull();
  });
});
