/** A line that an invented person writes. */
export interface ScriptLine {
  user: string;
  text: string;
}

/** What the demo looks for in chat and speech, as `POST /keywords` takes it. */
export const KEYWORDS = [
  { label: 'gift card bait', pattern: 'free gift cards', severity: 'high' },
  { label: 'asks for an address', pattern: 'where do you live', severity: 'critical' },
] as const;

/** What the demo's room chats about, over and over: all invented, two baits among it, one of them in a disguise. */
export const SCRIPT: readonly ScriptLine[] = [
  { user: 'marlene', text: 'good evening everyone' },
  { user: 'dealbot_77', text: 'free gift cards for everybody who follows me!!' },
  { user: 'tomasz', text: 'oh, a new picture' },
  { user: 'okra', text: 'the colours are lovely today' },
  { user: 'marlene', text: 'is that the same group as last week?' },
  { user: 'tomasz', text: 'no, the ones from last week were outside' },
  { user: 'dealbot_77', text: 'last chance, fr33 g1ft c4rds, ask me how' },
  { user: 'okra', text: 'mods please' },
  { user: 'ines', text: 'just came in, what did I miss?' },
  { user: 'marlene', text: 'not much, some photos and an alarm' },
  { user: 'quiet_pat', text: 'wh\u0435re do you l\u0456ve? I am in town' },
  { user: 'okra', text: 'nobody answer that' },
  { user: 'ines', text: 'I bought a card for my aunt, it was not free' },
  { user: 'tomasz', text: 'the music is nice' },
  { user: 'marlene', text: 'until it goes quiet again' },
  { user: 'ines', text: 'see you tomorrow' },
];
