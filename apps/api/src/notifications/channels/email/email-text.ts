import type { ChannelItem, ChannelMessage } from '../channel.port.js';

/** The message as plain text. */
export function textOf(message: ChannelMessage): string {
  const lines = message.items.map((item) => `${item.title}${timesOf(item)}\n${item.body}\n`);
  const more = message.link === null ? '' : `\n${message.link}\n`;
  return `${lines.join('\n')}${more}`;
}

/** The message as HTML that mail programs show. @param cid content id of the evidence image, null for none. */
export function htmlOf(message: ChannelMessage, cid: string | null): string {
  const items = message.items
    .map(
      (item) =>
        `<p><strong>${escaped(item.title)}</strong>${escaped(timesOf(item))} <em>${item.severity}</em><br>` +
        `${escaped(item.body)}</p>`,
    )
    .join('');
  const image = cid === null ? '' : `<p><img src="cid:${cid}" alt="Evidence" style="max-width:100%"></p>`;
  const link = message.link === null ? '' : `<p><a href="${escaped(message.link)}">See more</a></p>`;
  return `<!doctype html><html><body>${items}${image}${link}</body></html>`;
}

function timesOf({ count }: ChannelItem): string {
  return count > 1 ? ` (${String(count)} times)` : '';
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
