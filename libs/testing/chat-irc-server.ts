import type { WebSocket } from 'ws';
import { ChatSocketServer, type ChatStand } from './chat-socket-server.js';

const ESCAPES: Readonly<Record<string, string>> = { ';': '\\:', ' ': '\\s', '\\': '\\\\', '\r': '\\r', '\n': '\\n' };

/**
 * Speaks the IRC of Twitch over a WebSocket on loopback, for tests: login, capabilities, JOIN, PING, RECONNECT, and
 * whatever lines a test wants said. It says of itself what it is.
 */
export class ChatIrcServer implements ChatStand {
  /** Tokens that are taken; any other is refused. Anonymous logins (`justinfan…`) always are. */
  readonly tokens = new Set<string>();
  /** Channels that were joined, a line each time. */
  readonly joins: string[] = [];
  /** When set, JOINs are heard and not answered. */
  deaf = false;
  private readonly rooms = new Map<WebSocket, string>();
  private readonly logins = new Map<WebSocket, string>();

  private constructor(readonly server: ChatSocketServer) {
    server.onText = (text, socket) => {
      for (const line of text.split('\r\n')) if (line !== '') this.obey(line, socket);
    };
  }

  static async start(): Promise<ChatIrcServer> {
    return new ChatIrcServer(await ChatSocketServer.start());
  }

  get url(): string {
    return `ws://${this.server.host}/`;
  }

  get hosts(): readonly string[] {
    return [this.server.host];
  }

  get accepted(): number {
    return this.server.accepted;
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    this.everywhere((room) => privmsg(room, { id, user, text }));
  }

  babble(): void {
    this.server.broadcast('@@@;;=:\x00 \u202e:no line at all\r\n');
  }

  sever(): void {
    this.server.sever();
  }

  freeze(): void {
    this.server.freeze();
  }

  /** Asks everybody to connect anew. */
  reconnect(): void {
    this.server.broadcast(':tmi.twitch.tv RECONNECT\r\n');
  }

  /** Sends lines to everybody, made for the room they are in. */
  everywhere(line: (room: string) => string): void {
    for (const socket of this.server.open) {
      const room = this.rooms.get(socket);
      if (room !== undefined) socket.send(`${line(room)}\r\n`);
    }
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private obey(line: string, socket: WebSocket): void {
    const [command = '', argument = ''] = line.split(' ');
    const tell = (text: string): void => socket.send(`:tmi.twitch.tv ${text}\r\n`);
    if (command === 'CAP') tell('CAP * ACK :twitch.tv/tags twitch.tv/commands');
    else if (command === 'PING') tell(`PONG tmi.twitch.tv ${line.slice(5)}`);
    else if (command === 'PASS') this.logins.set(socket, argument.replace(/^oauth:/, ''));
    else if (command === 'NICK') this.welcome(argument, socket, tell);
    else if (command === 'JOIN') this.join(argument, socket, tell);
  }

  private welcome(nick: string, socket: WebSocket, tell: (text: string) => void): void {
    if (!nick.startsWith('justinfan') && !this.tokens.has(this.logins.get(socket) ?? '')) {
      tell('NOTICE * :Login authentication failed');
      socket.close();
      return;
    }
    tell(`001 ${nick} :Welcome, GLHF!`);
    tell(`002 ${nick} :Your host is a loopback stand-in for tests`);
    tell(`376 ${nick} :>`);
  }

  private join(room: string, socket: WebSocket, tell: (text: string) => void): void {
    this.joins.push(room);
    if (this.deaf) return;
    this.rooms.set(socket, room);
    socket.send(`@emote-only=0;room-id=1;slow=0 :tmi.twitch.tv ROOMSTATE ${room}\r\n`);
    tell(`366 somebody ${room} :End of /NAMES list`);
  }
}

/** A PRIVMSG line without CR LF. Tags are escaped as the protocol wants it. */
export function privmsg(
  room: string,
  { id, user, text, tags = {} }: { id: string; user: string; text: string; tags?: Readonly<Record<string, string>> },
): string {
  const all = { id, 'user-id': `u-${user}`, 'display-name': user, 'tmi-sent-ts': '1642696567751', ...tags };
  const escaped = Object.entries(all).map(
    ([name, value]) => `${name}=${value.replace(/[; \\\r\n]/g, (char) => ESCAPES[char] ?? char)}`,
  );
  return `@${escaped.join(';')} :${user}!${user}@${user}.tmi.twitch.tv PRIVMSG ${room} :${text}`;
}
