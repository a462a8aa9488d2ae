import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Address, type Email } from 'postal-mime';

/** Mails that are kept; older ones go. */
const KEPT = 50;
const FILE = /^(\d{13})-[0-9a-f]{8}\.eml$/;

/** A mail in the list. */
export interface MailEntry {
  /** Also the name of its file, without `.eml`. */
  id: string;
  /** When it came, epoch ms. */
  at: number;
  from: string;
  to: string;
  subject: string;
  messageId: string;
  pictures: number;
  /** What became of the alert that it tells of; empty when nobody said. */
  outcome: string;
}

/** The mails of the demo: files as they came, and a list of them. Those of earlier runs are shown too. */
export class Inbox {
  /** Called with each mail that comes. */
  told: (mail: MailEntry) => void = () => undefined;
  private entries: MailEntry[] = [];

  private constructor(readonly directory: string) {}

  /** Opens the inbox in a directory, which is made when it is not there. */
  static async open(directory: string): Promise<Inbox> {
    await mkdir(directory, { recursive: true });
    const inbox = new Inbox(directory);
    const names = (await readdir(directory)).filter((name) => FILE.test(name)).sort();
    for (const name of names.slice(-KEPT)) {
      inbox.add(name, await parse(await readFile(join(directory, name))));
    }
    return inbox;
  }

  /** Oldest first. */
  get mails(): readonly MailEntry[] {
    return this.entries;
  }

  /** Keeps a mail as it came. */
  async keep(raw: Buffer, at = Date.now()): Promise<void> {
    const name = `${at}-${randomBytes(4).toString('hex')}.eml`;
    const mail = await parse(raw);
    await writeFile(join(this.directory, name), raw, { mode: 0o600 });
    const entry = this.add(name, mail);
    while (this.entries.length > KEPT) {
      const oldest = this.entries.shift();
      await rm(join(this.directory, `${oldest?.id ?? ''}.eml`), { force: true });
    }
    this.told(entry);
  }

  /** The bytes of a mail in the list; null when it is not there. */
  async read(id: string): Promise<Buffer | null> {
    if (!this.entries.some((entry) => entry.id === id)) return null;
    return readFile(join(this.directory, `${id}.eml`)).catch(() => null);
  }

  private add(name: string, mail: Email): MailEntry {
    const entry = {
      ...{ id: name.slice(0, -'.eml'.length), at: Number(FILE.exec(name)?.[1] ?? 0) },
      ...{ from: wordsOf(mail.from), to: (mail.to ?? []).map(wordsOf).join(', ') },
      ...{ subject: mail.subject ?? '', messageId: mail.messageId ?? '', outcome: '' },
      pictures: mail.attachments.filter(({ mimeType }) => mimeType.startsWith('image/')).length,
    };
    this.entries.push(entry);
    return entry;
  }
}

/** A mail taken apart. */
export async function parse(raw: Buffer): Promise<Email> {
  return PostalMime.parse(raw, { attachmentEncoding: 'base64', maxNestingDepth: 20 });
}

function wordsOf(address: Address | undefined): string {
  if (address?.address === undefined) return address?.name ?? '';
  return address.name === '' ? address.address : `${address.name} <${address.address}>`;
}
