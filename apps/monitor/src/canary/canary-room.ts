import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';

/** Room and words of the canary's chat. */
export const ROOM = 'vigil_canary';
export const PLANTED_LINE = 'vigil canary sings';
/** From joining to the line, ms. */
const PAUSE_MS = 500;
const SELF = 'canary.vigil.invalid';

/**
 * The canary's chat: the part of Twitch's IRC over WebSocket that a reader needs, with one room in which one line is
 * said to whoever joins. It says of itself that it is not Twitch.
 */
export class CanaryRoom {
  /** When the line was said, epoch ms; null before. */
  saidAt: number | null = null;

  constructor(private readonly now: () => number) {}

  welcome(socket: WebSocket): void {
    let timer: NodeJS.Timeout | undefined;
    const say = (line: string): void => {
      if (socket.readyState === socket.OPEN) socket.send(`${line}\r\n`);
    };
    socket.on('error', () => undefined);
    socket.on('close', () => clearTimeout(timer));
    socket.on('message', (data: Buffer) => {
      for (const line of data.toString().split('\r\n')) {
        const [command, argument = ''] = line.split(' ');
        if (command === 'NICK') say(`:${SELF} 001 ${argument} :Welcome to Vigil's canary; this is no server of Twitch`);
        else if (command === 'PING') say(`:${SELF} PONG ${SELF} ${line.slice('PING '.length)}`);
        else if (command === 'JOIN' && argument === `#${ROOM}`) {
          say(`@room-id=1 :${SELF} ROOMSTATE #${ROOM}`);
          clearTimeout(timer);
          timer = setTimeout(() => say(this.planted()), PAUSE_MS);
        }
      }
    });
  }

  private planted(): string {
    const at = this.now();
    this.saidAt ??= at;
    const tags = `display-name=canary;id=${randomUUID()};tmi-sent-ts=${at};user-id=1`;
    return `@${tags} :canary!canary@canary.${SELF} PRIVMSG #${ROOM} :${PLANTED_LINE}`;
  }
}
