import type { ChatMessage } from '#libs/contracts/chat.js';
import { ChatWindow } from './chat-window.js';

const message = (text: string): ChatMessage => ({
  ...{ platform: 'test', streamId: '4be0643f-1d98-473b-97cd-ca98a65347dd', externalId: text, userId: 'u' },
  ...{ username: 'ann', roles: [], text, sentAt: 1, receivedAt: 1, kind: 'text' },
});
const texts = (messages: readonly ChatMessage[]): string[] => messages.map(({ text }) => text);
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe('ChatWindow', () => {
  it('gives ten lines before a hit and ten after it', () => {
    const window = new ChatWindow<string>();
    for (const text of lines(1, 30)) window.add(message(text));
    expect(window.open('hit')).toEqual([]);
    for (const text of lines(31, 39)) expect(window.add(message(text))).toEqual([]);
    const [context] = window.add(message('40'));
    expect(context).toMatchObject({ hit: 'hit', message: { text: '30' } });
    expect(texts(context?.before ?? [])).toEqual(lines(20, 29));
    expect(texts(context?.after ?? [])).toEqual(lines(31, 40));
    expect(window.add(message('41'))).toEqual([]);
  });

  it('gives what there is at the beginning and at the end', () => {
    const window = new ChatWindow<string>();
    window.add(message('1'));
    window.open('a');
    window.add(message('2'));
    window.open('b');
    window.add(message('3'));
    const ended = window.end().map(({ hit, before, after }) => [hit, texts(before), texts(after)]);
    expect(ended).toEqual([
      ['a', [], ['2', '3']],
      ['b', ['1'], ['3']],
    ]);
    expect(window.end()).toEqual([]);
  });

  it('tells what is known of the newest hit so far, and does not change it afterwards', () => {
    const window = new ChatWindow<string>();
    expect(window.peek()).toBeNull();
    window.add(message('1'));
    window.open('a');
    const early = window.peek();
    window.add(message('2'));
    expect(early).toMatchObject({ hit: 'a', after: [] });
  });

  it('lets the oldest hit go early when too many wait', () => {
    const window = new ChatWindow<number>();
    window.add(message('1'));
    for (let hit = 0; hit < 50; hit += 1) expect(window.open(hit)).toEqual([]);
    expect(window.open(50)).toMatchObject([{ hit: 0, after: [] }]);
    expect(window.end()).toHaveLength(50);
  });

  it('gives up waiting for lines that do not come', () => {
    const window = new ChatWindow<string>();
    window.add(message('1'));
    window.open('old', 1_000);
    window.add(message('2'));
    window.open('young', 5_000);
    expect(window.expire(999)).toEqual([]);
    expect(window.expire(1_000).map(({ hit, after }) => [hit, texts(after)])).toEqual([['old', ['2']]]);
    expect(window.end().map(({ hit }) => hit)).toEqual(['young']);
  });

  it('has no hit without a line', () => {
    const window = new ChatWindow<string>();
    window.open('a');
    expect(window.end()).toEqual([]);
  });
});
