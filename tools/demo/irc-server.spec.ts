import { WebSocket } from 'ws';
import { compile } from '#libs/phrases/compile.js';
import { toDraft } from '../../apps/monitor/src/chat/twitch/twitch-message.js';
import { parseIrcLine } from '../../apps/monitor/src/chat/twitch/irc-line.js';
import { KEYWORDS, SCRIPT } from './chat-script.js';
import { CHANNEL, startChat, type ChatServer } from './irc-server.js';

describe("the chat of the demo's stream", () => {
  let chat: ChatServer;
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    chat = await startChat(SCRIPT, { firstMs: 5, everyMs: 5 });
  });

  afterAll(async () => {
    for (const socket of sockets) socket.terminate();
    await chat.stop();
  });

  /** Connects, says some lines, and gives what is answered until there are so many lines of chat, or `last`. */
  function visit(says: readonly string[], enough: (lines: readonly string[]) => boolean): Promise<string[]> {
    const socket = new WebSocket(chat.url);
    sockets.push(socket);
    return new Promise((resolve, reject) => {
      const lines: string[] = [];
      socket.on('open', () => says.forEach((line) => socket.send(`${line}\r\n`)));
      socket.on('message', (data: Buffer) => {
        lines.push(...data.toString().split('\r\n').filter(Boolean));
        if (!enough(lines)) return;
        socket.close();
        resolve(lines);
      });
      socket.on('error', reject);
    });
  }

  it('plays its script to whoever joins, from the beginning and over again, in lines that the Twitch adapter reads', async () => {
    const count = SCRIPT.length + 2;
    const says = ['CAP REQ :twitch.tv/tags', 'NICK justinfan1', `JOIN #${CHANNEL}`];
    const lines = await visit(says, (heard) => heard.filter((line) => line.includes(' PRIVMSG ')).length === count);
    const drafts = lines.flatMap((text) => {
      const line = parseIrcLine(text);
      if (line === null) throw new Error(`no line of IRC: ${text}`);
      return line.command === 'PRIVMSG' ? [toDraft(line)] : [];
    });
    const wanted = [...SCRIPT, ...SCRIPT].slice(0, count);
    expect(drafts.map((draft) => draft?.text)).toEqual(wanted.map(({ text }) => text));
    expect(drafts.map((draft) => draft?.username)).toEqual(wanted.map(({ user }) => user));
    expect(new Set(drafts.map((draft) => draft?.externalId)).size).toBe(count);
    expect(lines.join('\n')).toContain('no server of Twitch');
  });

  it('has one room, and answers a ping', async () => {
    const [refused] = await visit(['JOIN #elsewhere'], (lines) => lines.length === 1);
    expect(refused).toContain('msg_channel_suspended');
    const [pong] = await visit(['PING :vigil'], (lines) => lines.length === 1);
    expect(parseIrcLine(pong ?? '')).toMatchObject({ command: 'PONG' });
  });

  it('holds three lines that the keywords of the demo find, two of them in a disguise, and no other', () => {
    const index = compile(
      KEYWORDS.map(({ label, pattern }) => ({
        id: label,
        pattern,
        version: 1,
        kind: 'literal' as const,
        allow: [],
        fuzzy: false,
        phonetic: false,
      })),
    );
    const hits = SCRIPT.flatMap(({ text }) =>
      index.match(text).map(({ rule, start, end, view }) => ({ rule, words: text.slice(start, end), view })),
    );
    expect(hits).toEqual([
      { rule: 'gift card bait', words: 'free gift cards', view: 'plain' },
      { rule: 'gift card bait', words: 'fr33 g1ft c4rds', view: 'leet' },
      { rule: 'asks for an address', words: 'wh\u0435re do you l\u0456ve', view: 'skeleton' },
    ]);
  });
});
