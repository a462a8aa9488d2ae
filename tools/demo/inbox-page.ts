import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import type { Email } from 'postal-mime';
import { repositoryRoot } from '#libs/config/environment.js';
import { parse, type Inbox } from './inbox.js';
import { send, type Pages } from './pages.js';

const TEMPLATE = join(repositoryRoot, 'tools', 'demo', 'inbox-page.html');
const PICTURE = /^image\/(?:jpeg|png|gif|webp)$/;
/** A mail is a stranger's page: no script, nothing from anywhere, links in a tab of their own. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The page on which a person reads the mails of the demo. */
export class InboxPage {
  private readonly page = readFileSync(TEMPLATE, 'utf8');

  constructor(private readonly inbox: Inbox) {}

  /** Answers what the page asks for. */
  readonly pages: Pages = (path, response) => {
    if (path === '/inbox') return send(response, 'text/html; charset=utf-8', this.page);
    if (path === '/inbox/mails.json') return send(response, 'application/json', JSON.stringify(this.inbox.mails));
    const [, id, form] = /^\/inbox\/(\d{13}-[0-9a-f]{8})(\.eml|\/body)$/.exec(path) ?? [];
    if (id === undefined) return false;
    void this.sendMail(response, id, form === '.eml');
    return true;
  };

  private async sendMail(response: ServerResponse, id: string, asItCame: boolean): Promise<void> {
    try {
      const raw = await this.inbox.read(id);
      if (raw === null) response.writeHead(404).end();
      else if (asItCame) send(response, 'text/plain; charset=utf-8', raw, MAIL_POLICY);
      else send(response, 'text/html; charset=utf-8', bodyOf(await parse(raw)), MAIL_POLICY);
    } catch {
      response.writeHead(500).end();
    }
  }
}

/** The mail as a page of its own, its inline pictures within. */
export function bodyOf({ html, text, attachments }: Email): string {
  const pictures = new Map(
    attachments
      .filter(({ mimeType, contentId }) => contentId !== undefined && PICTURE.test(mimeType))
      .map(({ contentId, mimeType, content }) => [
        (contentId ?? '').replace(/^<|>$/g, ''),
        `data:${mimeType};base64,${typeof content === 'string' ? content : ''}`,
      ]),
  );
  const body = html?.replace(/\bcid:([^"'\s>]+)/g, (whole, id: string) => pictures.get(id) ?? whole);
  const start =
    '<meta charset="utf-8"><base target="_blank"><style>body{font:15px/1.5 system-ui,sans-serif;margin:1rem 1.25rem}</style>';
  return `<!doctype html>${start}${body ?? `<pre style="white-space:pre-wrap">${escaped(text ?? '')}</pre>`}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
