import type { ChatFragment, ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';
import type { IrcLine } from './irc-line.js';

/** What the badges of Twitch say of an author. */
export const TWITCH_ROLES: Readonly<Record<string, ChatRole>> = {
  broadcaster: 'broadcaster',
  lead_moderator: 'moderator',
  moderator: 'moderator',
  vip: 'vip',
  subscriber: 'subscriber',
  founder: 'subscriber',
  staff: 'staff',
  admin: 'staff',
  global_mod: 'staff',
  partner: 'verified',
};
const EMOTE_LIMIT = 200;

/**
 * What a line of Twitch chat says as a message; null when it is none (or lacks what a message must have, see
 * {@link isMessageCommand}). Source: dev.twitch.tv, "Twitch IRC: Tags" and "Commands".
 */
export function toDraft({ tags, source, command, params }: IrcLine): ChatDraft | null {
  const tag = (name: string): string => tags.get(name) ?? '';
  const sentAt = instant(tag('tmi-sent-ts'));
  const nobody = { userId: '', username: '', roles: [], sentAt };
  const [, said] = params;
  switch (command) {
    case 'PRIVMSG': {
      if (said === undefined || tag('id') === '') return null;
      const bits = Number(tag('bits'));
      return {
        externalId: tag('id'),
        userId: tag('user-id'),
        username: source === '' ? tag('display-name') : source,
        roles: rolesOf(tag('badges')),
        ...bodyOf(said, tag('emotes')),
        sentAt,
        ...(bits > 0 ? { kind: 'tip', tip: { amount: bits, currency: 'bits' } } : { kind: 'text' }),
      };
    }
    case 'USERNOTICE': {
      if (tag('id') === '') return null;
      const words = said === undefined ? { text: tag('system-msg') } : bodyOf(said, tag('emotes'));
      const { login, roles } = { login: tag('login'), roles: rolesOf(tag('badges')) };
      return {
        externalId: tag('id'),
        userId: tag('user-id'),
        username: login,
        roles,
        ...words,
        sentAt,
        kind: 'system',
      };
    }
    case 'CLEARMSG': {
      const messageId = tag('target-msg-id');
      if (messageId === '') return null;
      return {
        ...{ ...nobody, externalId: `deleted:${messageId}`, username: tag('login'), text: '', kind: 'deleted' },
        target: { messageId },
      };
    }
    case 'CLEARCHAT': {
      const userId = tag('target-user-id');
      if (sentAt === null) return null;
      return {
        ...{ ...nobody, externalId: `cleared:${userId}:${sentAt}`, username: said ?? '', text: '', kind: 'deleted' },
        target: userId === '' ? {} : { userId },
      };
    }
    default:
      return null;
  }
}

/** Whether a command should give a message: when it does not, it was malformed. */
export function isMessageCommand(command: string): boolean {
  return ['PRIVMSG', 'USERNOTICE', 'CLEARMSG', 'CLEARCHAT'].includes(command);
}

/** `/me` comes as a CTCP ACTION; emotes are counted in what stands inside it. */
function bodyOf(said: string, emotes: string): { text: string; fragments?: ChatFragment[] } {
  const action = said.startsWith('\x01ACTION ');
  const text = action ? said.slice(8, said.endsWith('\x01') ? -1 : undefined) : said;
  const fragments = emotes === '' ? [] : fragmentsOf(text, emotes);
  return fragments.length === 0 ? { text } : { text, fragments };
}

/** The tag is `id:first-last,first-last/id:…`, counted in Unicode code points. Empty when it does not fit the text. */
function fragmentsOf(text: string, tag: string): ChatFragment[] {
  const spots: { emoteId: string; first: number; last: number }[] = [];
  for (const group of tag.split('/', EMOTE_LIMIT)) {
    const [emoteId = '', ranges = ''] = group.split(':', 2);
    for (const range of ranges.split(',', EMOTE_LIMIT)) {
      const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(range) ?? [];
      if (first !== undefined && spots.length < EMOTE_LIMIT) {
        spots.push({ emoteId, first: Number(first), last: Number(last) });
      }
    }
  }
  const points = [...text];
  const fragments: ChatFragment[] = [];
  let at = 0;
  for (const { emoteId, first, last } of spots.sort((a, b) => a.first - b.first)) {
    if (first < at || last < first || last >= points.length) return [];
    if (first > at) fragments.push({ type: 'text', text: points.slice(at, first).join('') });
    fragments.push({ type: 'emote', text: points.slice(first, last + 1).join(''), emoteId });
    at = last + 1;
  }
  if (at < points.length && fragments.length > 0) fragments.push({ type: 'text', text: points.slice(at).join('') });
  return fragments;
}

function rolesOf(badges: string): ChatRole[] {
  return badges.split(',', 20).flatMap((badge) => {
    const name = badge.split('/', 1)[0] ?? '';
    return Object.hasOwn(TWITCH_ROLES, name) ? [TWITCH_ROLES[name] as ChatRole] : [];
  });
}

function instant(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
