import { parseIrcLine } from './irc-line.js';

describe('a line of IRC', () => {
  it.each([
    ['PING :tmi.twitch.tv', { source: '', command: 'PING', params: ['tmi.twitch.tv'] }],
    [':a!a@a.test JOIN #room', { source: 'a', command: 'JOIN', params: ['#room'] }],
    [
      ':tmi.twitch.tv 366 me #room :End of list',
      { source: 'tmi.twitch.tv', command: '366', params: ['me', '#room', 'End of list'] },
    ],
    [':a PRIVMSG  #room   :  two  spaces ', { source: 'a', command: 'PRIVMSG', params: ['#room', '  two  spaces '] }],
    [':a PRIVMSG #room ::)', { source: 'a', command: 'PRIVMSG', params: ['#room', ':)'] }],
    [':a PRIVMSG #room :', { source: 'a', command: 'PRIVMSG', params: ['#room', ''] }],
    ['RECONNECT', { source: '', command: 'RECONNECT', params: [] }],
  ])('%p is taken apart', (line, parts) => {
    expect(parseIrcLine(line)).toMatchObject(parts);
  });

  it.each([
    [String.raw`a\sb`, 'a b'],
    [String.raw`a\:b`, 'a;b'],
    [String.raw`a\\sb`, String.raw`a\sb`],
    [String.raw`\r\n`, '\r\n'],
    [String.raw`a\xb`, 'axb'],
    ['a\\', 'a'],
    ['a=b', 'a=b'],
    ['', ''],
  ])('the tag value %p means %p', (escaped, value) => {
    expect(parseIrcLine(`@k=${escaped};flag;b=1 PING`)?.tags.get('k')).toBe(value);
    expect(parseIrcLine(`@k=${escaped};flag;b=1 PING`)?.tags.get('flag')).toBe('');
  });

  it.each(['', ' ', '@', '@a=b', ':', ':x', 'privmsg #a :b', '12 x', 'A'.repeat(21), `PING :${'x'.repeat(16_400)}`])(
    '%.30p is none',
    (line) => {
      expect(parseIrcLine(line)).toBeNull();
    },
  );

  it('holds at most a hundred tags and fifteen parameters', () => {
    const tags = Array.from({ length: 300 }, (_, index) => `t${index}=1`).join(';');
    const line = parseIrcLine(`@${tags} X ${'p '.repeat(40)}`);
    expect(line?.tags.size).toBe(100);
    expect(line?.params).toHaveLength(15);
  });
});
