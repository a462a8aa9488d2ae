import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What a mail server took. */
interface TakenMail {
  to: string;
  text: string;
}

/** A mail server that takes everything (RFC 5321, as far as one client goes); for specs alone. */
export class SmtpServer {
  readonly mails: TakenMail[] = [];
  private readonly waiting: (() => void)[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SmtpServer> {
    const server = createServer();
    const smtp = new SmtpServer(server);
    server.on('connection', (socket) => smtp.talk(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return smtp;
  }

  get url(): string {
    return `smtp://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** The mails once there are so many. */
  async atLeast(count: number): Promise<TakenMail[]> {
    while (this.mails.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.mails;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private talk(socket: Socket): void {
    this.sockets.add(socket);
    socket.setEncoding('utf8').on('error', () => socket.destroy());
    let pending = '';
    let to = '';
    let data: string[] | null = null;
    socket.write('220 test\r\n');
    socket.on('data', (chunk: string) => {
      const lines = (pending + chunk).split('\r\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (data !== null && line !== '.') data.push(line);
        else if (data !== null) {
          // Soft line breaks of quoted-printable (RFC 2045, section 6.7).
          this.mails.push({ to, text: data.join('\n').replaceAll('=\n', '').replaceAll('=3D', '=') });
          data = null;
          socket.write('250 taken\r\n');
          for (const tell of this.waiting.splice(0)) tell();
        } else if (/^DATA/i.test(line)) {
          data = [];
          socket.write('354 go on\r\n');
        } else {
          to = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? to;
          socket.write(/^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n');
        }
      }
    });
  }
}
