import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { Inbox } from './inbox.js';
import { bodyOf, InboxPage } from './inbox-page.js';
import { startMailServer, type MailServer } from './mail-server.js';

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);
const mail = {
  ...{ from: 'Vigil <vigil@localhost>', to: 'ann@example.com', subject: '[high] a person', messageId: '<one@vigil>' },
  html: '<p>Seen.</p><img src="cid:evidence@vigil"><script>steal()</script>',
  attachments: [{ filename: 'evidence.jpg', content: JPEG, contentType: 'image/jpeg', cid: 'evidence@vigil' }],
};

describe('the inbox of the demo', () => {
  let directory: string;
  let inbox: Inbox;
  let smtp: MailServer;
  let server: Server;
  let url: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inbox-'));
    inbox = await Inbox.open(directory);
    smtp = await startMailServer((raw) => inbox.keep(raw));
    const page = new InboxPage(inbox);
    server = createServer((request, response) => {
      if (!page.pages(request.url ?? '', response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await Promise.all([smtp.stop(), new Promise((resolve) => server.close(resolve))]);
    await rm(directory, { recursive: true, force: true });
  });

  it('shows a mail that came over SMTP with its picture, and runs nothing in it', async () => {
    const told: string[] = [];
    inbox.told = ({ messageId }) => told.push(messageId);
    await createTransport(smtp.url).sendMail(mail);
    expect(told).toEqual(['<one@vigil>']);
    const list = (await (await fetch(`${url}/inbox/mails.json`)).json()) as { id: string }[];
    expect(list).toMatchObject([{ to: 'ann@example.com', subject: '[high] a person', pictures: 1, outcome: '' }]);
    const body = await fetch(`${url}/inbox/${list[0]?.id ?? ''}/body`);
    expect(await body.text()).toContain(`<img src="data:image/jpeg;base64,${JPEG.toString('base64')}">`);
    const policy = body.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^sandbox allow-popups[^;]*; default-src 'none'; img-src data:/);
    expect(policy).not.toContain('allow-scripts');
    expect(await (await fetch(`${url}/inbox/${list[0]?.id ?? ''}.eml`)).text()).toContain('Message-ID: <one@vigil>');
    expect((await fetch(`${url}/inbox/1795387063400-00000000/body`)).status).toBe(404);
    expect((await fetch(`${url}/inbox/..%2f..%2fadmin-password.eml`)).status).toBe(404);
  });

  it('keeps the last 50, as files that a later start finds', async () => {
    const at = 1_795_387_063_400;
    for (let number = 0; number < 53; number += 1) {
      await inbox.keep(Buffer.from(`Subject: ${String(number)}\r\n\r\ntext`), at + number);
    }
    expect(await readdir(directory)).toHaveLength(50);
    const again = await Inbox.open(directory);
    expect(again.mails.map(({ subject }) => subject)).toEqual(inbox.mails.map(({ subject }) => subject));
    expect([again.mails[0]?.subject, again.mails.at(-1)?.subject]).toEqual(['3', '52']);
  });

  it('refuses a mail that is too large, and takes the next', async () => {
    const transport = createTransport(smtp.url);
    const text = 'x'.repeat(10 * 1024 * 1024);
    await expect(transport.sendMail({ ...mail, html: undefined, text })).rejects.toThrow(/10 MB|maximum/);
    await transport.sendMail(mail);
    expect(inbox.mails).toHaveLength(1);
  });

  it('shows plain text as text', () => {
    expect(bodyOf({ headers: [], headerLines: [], attachments: [], text: '<b>&' })).toContain('&#60;b&#62;&#38;</pre>');
  });
});
