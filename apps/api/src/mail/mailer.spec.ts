import { Writable } from 'node:stream';
import { createLogger } from '#libs/observability/logger.js';
import { SmtpServer } from '#libs/testing/smtp-server.js';
import { Mailer } from './mailer.js';

/** A log that can be read, and waited for. */
class Log {
  text = '';
  private tell: () => void = () => undefined;

  readonly logger = createLogger(
    'test',
    'info',
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.text += chunk.toString('utf8');
        this.tell();
        done();
      },
    }),
  );

  async says(words: string): Promise<void> {
    while (!this.text.includes(words)) await new Promise<void>((resolve) => (this.tell = resolve));
  }
}

const mail = { to: 'alice@example.com', subject: 'A new password', text: 'the code' };

describe('mails', () => {
  it('are not sent without a server, and the log says what to do, but not what was in them', async () => {
    const log = new Log();
    new Mailer({ SMTP_URL: undefined, MAIL_FROM: 'vigil@example.com' }, log.logger).post(mail);
    await log.says('set SMTP_URL');
    expect(log.text).not.toContain('the code');
  });

  it('reach the address they are for, and no other that it names', async () => {
    const smtp = await SmtpServer.start();
    const mailer = new Mailer({ SMTP_URL: smtp.url, MAIL_FROM: 'vigil@example.com' }, new Log().logger);
    try {
      mailer.post({ ...mail, subject: 'One\r\nBcc: eve@example.com' });
      const [taken] = await smtp.atLeast(1);
      expect(taken?.to).toEqual(['alice@example.com']);
      expect(taken?.text).toContain('the code');
      expect(taken?.text).not.toMatch(/^Bcc:/m);
    } finally {
      mailer.onModuleDestroy();
      await smtp.stop();
    }
  });

  it('that cannot be sent are told to the log, without the password of the server', async () => {
    const log = new Log();
    const mailer = new Mailer(
      { SMTP_URL: 'smtp://user:pass-word@127.0.0.1:1', MAIL_FROM: 'v@example.com' },
      log.logger,
    );
    mailer.post(mail);
    await log.says('check SMTP_URL');
    mailer.onModuleDestroy();
    expect(log.text).not.toMatch(/pass-word|the code/);
  });
});
