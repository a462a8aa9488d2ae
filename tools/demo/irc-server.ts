import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { ScriptLine } from './chat-script.js';

/** The room that there is. */
export const CHANNEL = 'vigil_demo';

/** The demo's chat. */
export interface ChatServer {
  /** For `TWITCH_IRC_URL`. */
  url: string;
  /** `host:port` to allow in the egress rules. */
  address: string;
  stop(): Promise<void>;
}

/** How the chat runs, ms. */
interface ChatTimes {
  /** From joining to the first line. */
  firstMs: number;
  /** From line to line. */
  everyMs: number;
}

const TIMES: ChatTimes = { firstMs: 500, everyMs: 4_000 };
const MOST_CLIENTS = 50;
const LONGEST_FRAME = 4_096;
const PING_EVERY_MS = 60_000;
const SELF = 'demo.vigil.invalid';
const ESCAPES: Readonly<Record<string, string>> = { ';': '\\:', ' ': '\\s', '\\': '\\\\', '\r': '\\r', '\n': '\\n' };

/**
 * The chat of the demo's stream: the part of Twitch's IRC over WebSocket that a reader of chat uses (CAP, PASS, NICK,
 * JOIN, PING; message tags), on loopback, with one room. Everybody who joins hears the script from its beginning, and
 * then over again. It says of itself that it is not Twitch.
 */
export async function startChat(script: readonly ScriptLine[], times: ChatTimes = TIMES): Promise<ChatServer> {
  const server = createServer((_request, response) =>
    response
      .writeHead(426, { 'content-type': 'text/plain' })
      .end("The chat of Vigil's demo: a WebSocket, not Twitch.\n"),
  );
  const sockets = new WebSocketServer({ server, maxPayload: LONGEST_FRAME, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    if (sockets.clients.size > MOST_CLIENTS) socket.terminate();
    else new Visitor(socket, script, times).welcome();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `ws://${address}/`,
    address,
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Somebody who reads the chat. */
class Visitor {
  private nick = '*';
  private next = 0;
  private timer: NodeJS.Timeout | undefined;
  private pings: NodeJS.Timeout | undefined;
  private answered = true;

  constructor(
    private readonly socket: WebSocket,
    private readonly script: readonly ScriptLine[],
    private readonly times: ChatTimes,
  ) {}

  welcome(): void {
    const { socket } = this;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.timer);
      clearInterval(this.pings);
    });
    socket.on('message', (data: Buffer) => {
      for (const line of data.toString().split('\r\n')) if (line !== '') this.obey(line);
    });
    this.pings = setInterval(() => {
      if (!this.answered) return socket.terminate();
      this.answered = false;
      this.say(`PING :${SELF}`);
    }, PING_EVERY_MS);
  }

  private obey(line: string): void {
    const [command = '', argument = ''] = line.split(' ');
    switch (command) {
      case 'CAP':
        this.say(`:${SELF} CAP * ACK :twitch.tv/tags twitch.tv/commands`);
        break;
      case 'NICK':
        this.nick = /^\w{1,25}$/.test(argument) ? argument : 'guest';
        this.say(`:${SELF} 001 ${this.nick} :Welcome to the chat of Vigil's demo`);
        this.say(`:${SELF} 002 ${this.nick} :This is no server of Twitch and nobody here is real`);
        this.say(`:${SELF} 376 ${this.nick} :>`);
        break;
      case 'JOIN':
        this.join(argument);
        break;
      case 'PART':
        clearTimeout(this.timer);
        break;
      case 'PING':
        this.say(`:${SELF} PONG ${SELF} ${line.slice('PING '.length)}`);
        break;
      case 'PONG':
        this.answered = true;
    }
  }

  private join(room: string): void {
    if (room !== `#${CHANNEL}`) {
      this.say(`@msg-id=msg_channel_suspended :${SELF} NOTICE ${room} :There is one room here: #${CHANNEL}`);
      return;
    }
    this.say(`@emote-only=0;followers-only=-1;r9k=0;room-id=1;slow=0;subs-only=0 :${SELF} ROOMSTATE #${CHANNEL}`);
    this.say(`:${SELF} 366 ${this.nick} #${CHANNEL} :End of /NAMES list`);
    clearTimeout(this.timer);
    this.next = 0;
    this.timer = setTimeout(() => this.chatter(), this.times.firstMs);
  }

  private chatter(): void {
    const line = this.script[this.next % this.script.length];
    if (line === undefined) return;
    this.next += 1;
    this.say(privateMessage(line));
    this.timer = setTimeout(() => this.chatter(), this.times.everyMs);
  }

  private say(line: string): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(`${line}\r\n`);
  }
}

/** A line of chat with its tags, as Twitch sends it. Each has an id of its own, also when the script begins anew. */
function privateMessage({ user, text }: ScriptLine): string {
  const tags = { 'display-name': user, id: randomUUID(), 'tmi-sent-ts': String(Date.now()), 'user-id': `demo-${user}` };
  const escaped = Object.entries(tags).map(
    ([name, value]) => `${name}=${value.replace(/[; \\\r\n]/g, (char) => ESCAPES[char] ?? char)}`,
  );
  return `@${escaped.join(';')} :${user}!${user}@${user}.${SELF} PRIVMSG #${CHANNEL} :${text}`;
}
