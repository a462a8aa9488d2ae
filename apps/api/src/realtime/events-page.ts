import type { DocumentedEvent, SocketContract } from './async-api.js';

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
  h1 { margin-bottom: .2rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
  h3 { margin-bottom: .3rem; font-size: 1.05rem; }
  code { background: var(--soft); padding: .1em .3em; border-radius: 3px; }
  pre { background: var(--soft); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px; }
  pre code { background: none; padding: 0; }
  table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.2rem; }
  th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
  th { font-weight: 600; } td:first-child { white-space: nowrap; }
  nav a { margin-right: 1rem; }
`;

const CONNECT = `import { io } from 'socket.io-client';

const socket = io('http://127.0.0.1:3000/', { auth: { token: accessToken } });
socket.on('detection', ({ label, streamName, imageUrl }) => console.log(label, streamName, imageUrl));

const messages = io('http://127.0.0.1:3000/messages', { auth: { token: accessToken } });
messages.emit('typing', { userId, typing: true });`;

/** The page at `/docs/events`: what is said over Socket.IO, for people. */
export function eventsPage({ channels, schemas }: SocketContract): string {
  const links = channels.map(({ id, namespace }) => `<a href="#${id}"><code>${escape(namespace)}</code></a>`).join('');
  const sections = channels
    .map(
      ({ id, namespace, description, received, sent }) => `
  <h2 id="${id}">Namespace <code>${escape(namespace)}</code></h2>
  <p>${prose(description)}</p>
  <h3>You receive</h3>${table(received)}${sent.length === 0 ? '' : `<h3>You may send</h3>${table(sent)}`}`,
    )
    .join('');
  const shapes = Object.entries(schemas)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([id, schema]) => `<h3 id="schema-${escape(id)}">${escape(id)}</h3>${shape(schema)}`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vigil over Socket.IO</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Vigil over Socket.IO</h1>
<p>REST is described at <a href="/docs">/docs</a>. The same as a document: <code>asyncapi.yaml</code> in the project.</p>
<nav>${links}<a href="#schemas">Payloads</a></nav>
<h2>Connecting</h2>
<p>Give the access token of <code>POST /api/auth/login</code> as <code>auth.token</code> in every namespace. The server alone joins rooms. A browser's origin
must be in <code>CORS_ORIGINS</code>. Packets of clients hold at most 64 kB, 20 at once and 4 a second in the long run;
beyond that the connection is closed, as it is when the token expires: connect again with a new one.</p>
<pre><code>${escape(CONNECT)}</code></pre>
<p>Whatever tells of a row carries <code>seq</code>. Keep the last one; after a lost connection fetch what came since
over REST with <code>after</code>, oldest first. What you send may ask for an acknowledgement, which is a
<a href="#schema-SocketAnswer">SocketAnswer</a>.</p>
${sections}
<h2 id="schemas">Payloads</h2>
${shapes}
</body>
</html>
`;
}

function table(events: readonly DocumentedEvent[]): string {
  const rows = events.map(
    ({ name, summary, schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${prose(summary)}</td>` +
      `<td><a href="#schema-${escape(schema)}">${escape(schema)}</a></td></tr>`,
  );
  return `<table><tr><th>Event</th><th>When</th><th>Payload</th></tr>${rows.join('')}</table>`;
}

function shape(schema: Readonly<Record<string, unknown>>): string {
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return `<p>${typeOf(schema)}</p>`;
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : []);
  const rows = Object.entries(properties as Record<string, Record<string, unknown>>).map(([name, property]) => {
    const description = typeof property['description'] === 'string' ? prose(property['description']) : '';
    const optional = required.has(name) ? '' : ' <em>may be left out</em>';
    return `<tr><td><code>${escape(name)}</code></td><td>${typeOf(property)}${optional}</td><td>${description}</td></tr>`;
  });
  return `<table><tr><th>Field</th><th>Type</th><th></th></tr>${rows.join('')}</table>`;
}

/** A JSON Schema in a few words. */
function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'anything';
  const of = schema as Readonly<Record<string, unknown>>;
  if (typeof of['$ref'] === 'string') {
    const id = of['$ref'].split('/').at(-1) ?? '';
    return `<a href="#schema-${escape(id)}">${escape(id)}</a>`;
  }
  const choices = of['anyOf'] ?? of['oneOf'];
  if (Array.isArray(choices)) return choices.map(typeOf).join(' or ');
  if (Array.isArray(of['enum'])) return of['enum'].map((value) => `<code>${escape(String(value))}</code>`).join(', ');
  if (of['const'] !== undefined) return `<code>${escape(JSON.stringify(of['const']))}</code>`;
  if (Array.isArray(of['prefixItems'])) return `[${of['prefixItems'].map(typeOf).join(', ')}]`;
  if (of['type'] === 'array') return `list of ${typeOf(of['items'])}`;
  if (of['type'] === 'object' && typeof of['properties'] === 'object' && of['properties'] !== null) {
    const parts = Object.entries(of['properties']).map(([name, part]) => `${escape(name)}: ${typeOf(part)}`);
    return `{ ${parts.join(', ')} }`;
  }
  const format = typeof of['format'] === 'string' ? ` (${escape(of['format'])})` : '';
  return `${escape(typeof of['type'] === 'string' ? of['type'] : 'anything')}${format}`;
}

/** Text whose words in backticks are code. */
function prose(text: string): string {
  return escape(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
