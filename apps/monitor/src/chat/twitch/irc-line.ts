/** One line of IRC with message tags. */
export interface IrcLine {
  tags: ReadonlyMap<string, string>;
  /** Nickname or server that it comes from; empty when not said. */
  source: string;
  command: string;
  /** The last one may hold spaces. */
  params: readonly string[];
}

const LINE_LIMIT = 16_384;
const TAG_LIMIT = 100;
const PARAM_LIMIT = 15;
const ESCAPES: Readonly<Record<string, string>> = { ':': ';', s: ' ', '\\': '\\', r: '\r', n: '\n' };

/**
 * Parses one line without its CR LF (RFC 1459, 2.3.1; IRCv3 message tags). Null when it is none. Looks at each
 * character a bounded number of times.
 */
export function parseIrcLine(line: string): IrcLine | null {
  if (line.length > LINE_LIMIT) return null;
  let rest = line;
  let tags: ReadonlyMap<string, string> = new Map();
  if (rest.startsWith('@')) {
    const [head, tail] = cut(rest.slice(1));
    tags = parseTags(head);
    rest = tail;
  }
  let source = '';
  if (rest.startsWith(':')) {
    const [head, tail] = cut(rest.slice(1));
    source = head.split('!', 1)[0] ?? '';
    rest = tail;
  }
  const [command, tail] = cut(rest);
  if (!/^(?:[A-Z]{1,20}|\d{3})$/.test(command)) return null;
  const params: string[] = [];
  for (rest = tail; rest !== '';) {
    if (rest.startsWith(':') || params.length === PARAM_LIMIT - 1) {
      params.push(rest.startsWith(':') ? rest.slice(1) : rest);
      break;
    }
    const [param, more] = cut(rest);
    params.push(param);
    rest = more;
  }
  return { tags, source, command, params };
}

/** The first word, and what follows the spaces behind it. */
function cut(text: string): [string, string] {
  const end = text.indexOf(' ');
  if (end < 0) return [text, ''];
  let next = end;
  while (text[next] === ' ') next += 1;
  return [text.slice(0, end), text.slice(next)];
}

function parseTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const pair of text.split(';', TAG_LIMIT)) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (name !== '') tags.set(name, at < 0 ? '' : unescapeTag(pair.slice(at + 1)));
  }
  return tags;
}

/** Of an unknown escape the character stays, a backslash at the end goes (IRCv3 message tags, escaping values). */
function unescapeTag(value: string): string {
  return value.includes('\\') ? value.replace(/\\(.?)/gs, (_, char: string) => ESCAPES[char] ?? char) : value;
}
