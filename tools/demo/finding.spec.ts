import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DetectionView } from '#libs/contracts/sockets.js';
import { findingOf, lineOf } from './finding.js';
import { WatchPage } from './watch-page.js';

const NOW = Date.UTC(2026, 10, 22, 12);
const instant = new Date(NOW).toISOString();

/** A detection with what these tests do not ask about filled in. */
function detection(fields: Record<string, unknown>): DetectionView {
  const id = '0192d3a4-0000-7000-8000-000000000001';
  return DetectionView.parse({
    ...{ id, seq: '1', streamId: id, streamName: 'demo', severity: 'high', confidence: 0.875, ruleId: null },
    ...{ detail: '', box: null, objects: [], frame: null, quote: null, segmentId: null, chat: null, imageUrl: null },
    ...{
      clipUrl: null,
      startedAt: instant,
      detectedAt: instant,
      endedAt: null,
      frames: null,
      ptsMs: null,
      keep: false,
    },
    ...fields,
  });
}

const chatLine = {
  ...{ platform: 'twitch', externalId: 'x', userId: 'u', username: 'dealbot', roles: [], kind: 'text' },
  ...{ text: 'take fr33 c4rds now', sentAt: NOW - 250 },
};
const read = detection({
  ...{ kind: 'chat', label: 'bait', detector: 'phrases', model: 'phrases' },
  quote: { text: chatLine.text, start: 5, end: 15, view: 'leet', language: null },
  chat: { message: chatLine, before: [{ ...chatLine, username: 'ines', text: 'hello' }], after: [] },
});
const heard = detection({
  ...{ kind: 'audio', label: 'dead_air', detector: 'sound', model: 'sound', detail: 'The stream has gone silent.' },
});

describe('a finding in the words of the demo', () => {
  it('names its kind, the words found, whose they are and how they were read', () => {
    expect(lineOf(findingOf(read, null, 0, NOW))).toMatch(
      /chat {3}bait: dealbot: take \[fr33 c4rds\] now {2}\(read as leet; 250 ms after it was sent; phrases\)$/,
    );
    expect(lineOf(findingOf(heard, null, 0, NOW))).toMatch(
      /audio {2}dead_air: The stream has gone silent\. {2}\(sound\)$/,
    );
  });

  it('gives the score and the delay of what was seen, unless its clock is another one', () => {
    const seen = detection({ kind: 'video', label: 'person', detector: 'yolo', model: 'nano', ptsMs: 61_400 });
    expect(lineOf(findingOf(seen, null, NOW - 62_000, NOW))).toMatch(
      /video {2}person 0\.88 {2}\(2000 ms after it was on air; yolo, nano\)$/,
    );
    expect(findingOf(seen, null, NOW - 3_600_000, NOW).latencyMs).toBeNull();
  });
});

describe('the page to watch the demo on', () => {
  let server: Server;
  const page = new WatchPage();
  const sound = Buffer.from('RIFF');

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url ?? '/';
      if (path === '/kept.wav') response.writeHead(200, { 'content-type': 'audio/wav' }).end(sound);
      else if (path === '/page.html') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
      else if (!page.pages(path, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(() => void server.close());

  const get = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}${path}`);

  it('keeps the evidence of the newest findings of each kind, and only pictures and sound', async () => {
    const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    await page.add({ ...findingOf(heard, `${base}/kept.wav`, 0, NOW), id: 'first' });
    await page.add({ ...findingOf(read, `${base}/page.html`, 0, NOW), id: 'chat' });
    const list = async (): Promise<unknown> =>
      ((await (await get('/findings.json')).json()) as { findings: unknown }).findings;
    expect(await list()).toMatchObject([
      { id: 'first', evidence: { url: '/evidence/first', type: 'audio/wav' } },
      { id: 'chat', words: ['take ', 'fr33 c4rds', ' now'], evidence: null },
    ]);
    expect(Buffer.from(await (await get('/evidence/first')).arrayBuffer())).toEqual(sound);
    for (let index = 0; index < 12; index += 1) {
      await page.add({ ...findingOf(heard, null, 0, NOW), id: `later-${String(index)}` });
    }
    expect(await list()).toHaveLength(13);
    expect(await list()).toContainEqual(expect.objectContaining({ id: 'chat' }));
    expect((await get('/evidence/first')).status).toBe(404);
    expect(await (await get('/')).text()).toContain('<title>Vigil demo</title>');
  });
});
