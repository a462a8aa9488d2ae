import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a mail server does with one mail, once it has all of it. */
export type SmtpScript =
  | { reply: string; delayMs?: number }
  /** The connection is cut before an answer: before or after the mail was taken. */
  | { drop: 'before' | 'after' };

/** A mail that was taken. */
export interface TakenMail {
  from: string;
  to: string[];
  /** As it came over the wire, dot-stuffing undone. */
  raw: string;
  /** The same with the soft line breaks of quoted-printable undone (RFC 2045, section 6.7). */
  text: string;
  /** Value of a header, unfolded; empty when it is not there. */
  header(name: string): string;
}

/** A mail server on loopback (RFC 5321 with AUTH PLAIN and LOGIN), scripted mail by mail; takes everything by default. */
export class SmtpServer {
  readonly mails: TakenMail[] = [];
  /** What becomes of the next mails, in order. */
  readonly script: SmtpScript[] = [];
  /** Answers to `RCPT TO`, by address; `250` for others. */
  readonly refusals = new Map<string, string>();
  /** Mails that were sent to the end, whatever became of them. */
  attempts = 0;
  private readonly sockets = new Set<Socket>();
  private readonly waiting: (() => void)[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SmtpServer> {
    const server = createServer();
    const smtp = new SmtpServer(server);
    server.on('connection', (socket) => {
      smtp.sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => smtp.sockets.delete(socket));
      new Conversation(smtp, socket).begin();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return smtp;
  }

  /** `smtp://` address with credentials, which are not checked. */
  get url(): string {
    return `smtp://user:pass@127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Keeps a mail that was taken. */
  keep(mail: TakenMail): void {
    this.mails.push(mail);
    for (const tell of this.waiting.splice(0)) tell();
  }

  /** The mails once there are so many. */
  async atLeast(count: number): Promise<readonly TakenMail[]> {
    while (this.mails.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.mails;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** One connection. */
class Conversation {
  private pending = '';
  private from = '';
  private to: string[] = [];
  private data: string[] | null = null;
  private loginSteps = 0;

  constructor(
    private readonly smtp: SmtpServer,
    private readonly socket: Socket,
  ) {}

  begin(): void {
    this.socket.setEncoding('utf8');
    this.say('220 loopback ESMTP');
    let turn = Promise.resolve();
    this.socket.on('data', (chunk: string) => {
      const lines = (this.pending + chunk).split('\r\n');
      this.pending = lines.pop() ?? '';
      for (const line of lines) turn = turn.then(() => this.hear(line));
    });
  }

  private say(line: string): void {
    if (this.socket.writable) this.socket.write(`${line}\r\n`);
  }

  private async hear(line: string): Promise<void> {
    if (this.data !== null) {
      if (line === '.') await this.take(this.data);
      else this.data.push(line.startsWith('.') ? line.slice(1) : line);
      return;
    }
    if (this.loginSteps > 0) {
      this.loginSteps -= 1;
      this.say(this.loginSteps === 0 ? '235 welcome' : '334 UGFzc3dvcmQ6');
      return;
    }
    const verb = /^[A-Z]+/i.exec(line)?.[0].toUpperCase() ?? '';
    switch (verb) {
      case 'EHLO':
        this.say('250-loopback\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN');
        break;
      case 'AUTH':
        this.auth(line);
        break;
      case 'MAIL':
        this.from = addressIn(line);
        this.to = [];
        this.say('250 ok');
        break;
      case 'RCPT':
        this.recipient(addressIn(line));
        break;
      case 'DATA':
        this.data = [];
        this.say('354 go on');
        break;
      case 'QUIT':
        this.say('221 bye');
        this.socket.end();
        break;
      case 'HELO':
      case 'RSET':
      case 'NOOP':
        this.say('250 ok');
        break;
      default:
        this.say('502 not known');
    }
  }

  private auth(line: string): void {
    if (/^AUTH LOGIN/i.test(line)) {
      this.loginSteps = 2;
      this.say('334 VXNlcm5hbWU6');
    } else this.say('235 welcome');
  }

  private recipient(address: string): void {
    const refusal = this.smtp.refusals.get(address);
    if (refusal === undefined) this.to.push(address);
    this.say(refusal ?? '250 ok');
  }

  private async take(lines: readonly string[]): Promise<void> {
    this.data = null;
    this.smtp.attempts += 1;
    const script = this.smtp.script.shift() ?? { reply: '250 taken' };
    if ('drop' in script) {
      if (script.drop === 'after') this.keep(lines);
      this.socket.destroy();
      return;
    }
    if (script.delayMs !== undefined) await sleep(script.delayMs);
    if (script.reply.startsWith('2')) this.keep(lines);
    this.say(script.reply);
  }

  private keep(lines: readonly string[]): void {
    const raw = lines.join('\r\n');
    const head = (raw.split('\r\n\r\n', 1)[0] ?? '').replace(/\r\n[ \t]+/g, ' ');
    const header = (name: string): string => {
      const found = head.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
      return found?.slice(name.length + 1).trim() ?? '';
    };
    const text = raw.replaceAll('\r\n', '\n').replaceAll('=\n', '').replaceAll('=3D', '=');
    this.smtp.keep({ from: this.from, to: this.to, raw, text, header });
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}
