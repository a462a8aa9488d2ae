import { readdir } from 'node:fs/promises';
import { ChatMessage } from '#libs/contracts/chat.js';
import { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { until } from '#libs/testing/chat-time.js';
import type { ChatSource } from './chat-source.port.js';
import { ReadFeed, STAGES, type ChatStage } from './chat-stages.fixture.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from './registry.js';

const sources = registerChatSources();
const sourceOf = (way: string): string => way.split(':')[0] ?? '';

describe('the registry of chat sources', () => {
  it('holds every adapter folder, each with its code, its spec and a stage to stand on', async () => {
    const here = new URL('.', import.meta.url);
    const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const ids = sources.map(({ descriptor }) => descriptor.id).sort();
    expect(ids).toEqual(folders.map(({ name }) => name).sort());
    expect([...new Set(Object.keys(STAGES).map(sourceOf))].sort()).toEqual(ids);
    for (const { name } of folders) {
      const files = await readdir(new URL(`${name}/`, here));
      expect(files).toEqual(expect.arrayContaining([`${name}.chat.js`, `${name}.chat.spec.js`]));
    }
  });

  it('names only servers that are reached over TLS', () => {
    for (const url of Object.values(PUBLIC_CHAT_SERVERS)) expect(String(url)).toMatch(/^(https|wss):/);
  });
});

describe.each(Object.keys(STAGES))('chat source %s', (way) => {
  const id = sourceOf(way);
  const announced = sources.find(({ descriptor }) => descriptor.id === id) as ChatSource;
  let stage: ChatStage;
  let read: ReadFeed;

  beforeEach(async () => {
    const make = STAGES[way];
    if (make === undefined) throw new Error(`${id} has no stage`);
    stage = await make();
  });
  afterEach(async () => {
    await read?.stop();
    await stage.stand.stop();
  });

  it('describes itself', () => {
    expect(AdapterDescriptor.parse(announced.descriptor)).toEqual(announced.descriptor);
    expect(announced.descriptor.options).toMatchObject({ type: 'object', additionalProperties: false });
    expect(id).toMatch(/^[a-z][a-z0-9-]{0,30}$/);
    expect(announced.channelOf(new URL('https://example.test/room'))).toBeNull();
  });

  it('goes live, and gives what is said as messages of the contract', async () => {
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    stage.stand.say({ id: 'm1', user: 'ann', text: 'hello there' });
    await until('the message', () => read.has('hello there'));
    const [message] = read.messages;
    expect(ChatMessage.parse(message)).toEqual(message);
    expect(message).toMatchObject({ platform: id, streamId: stage.target.streamId, kind: 'text', username: 'ann' });
    expect(read.feed.figures()).toMatchObject({ received: 1, dropped: 0, lastMessageAt: message?.receivedAt });
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
  });

  it('gives a message that comes twice once', async () => {
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    for (const text of ['one', 'one']) stage.stand.say({ id: 'same', user: 'ann', text });
    stage.stand.say({ id: 'other', user: 'ann', text: 'two' });
    await until('the second', () => read.has('two'));
    expect(read.messages.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(read.feed.figures().duplicates).toBeGreaterThanOrEqual(1);
  });

  it('counts what it does not understand and goes on', async () => {
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    stage.stand.babble();
    await until('garbage', () => read.feed.figures().garbage > 0);
    stage.stand.say({ id: 'm1', user: 'ann', text: 'after' });
    await until('the message', () => read.has('after'));
  });

  it('cuts a text that is too long and counts it', async () => {
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    stage.stand.say({ id: 'm1', user: 'ann', text: 'x'.repeat(5_000) });
    await until('the message', () => read.messages.length === 1);
    expect(read.messages[0]?.text).toHaveLength(4_096);
    expect(read.feed.figures().truncated).toBe(1);
  });

  it('comes back after the connection broke', async () => {
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    stage.stand.sever();
    await until('another connection', () => read.feed.figures().reconnects > 0 && read.state === 'live');
    stage.stand.say({ id: 'm2', user: 'ann', text: 'again' });
    await until('the message', () => read.has('again'));
    expect(read.statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'degraded', 'live']);
  });

  it('keeps trying while nobody answers, and says so', async () => {
    await stage.stand.stop();
    read = await ReadFeed.open(stage);
    await until('degraded', () => read.state === 'degraded');
    expect(read.feed.status().detail).not.toBe('');
    await until('another try', () => read.feed.figures().reconnects > 0);
    stage = await (STAGES[way] as () => Promise<ChatStage>)();
  });

  it('stops at a credential that is refused', async () => {
    if (stage.refused === null) return;
    read = await ReadFeed.open({ ...stage, target: stage.refused });
    await until('auth_failed', () => read.state === 'auth_failed');
    const { accepted } = stage.stand;
    expect(read.feed.figures().reconnects).toBe(0);
    expect(JSON.stringify(read.statuses)).not.toContain('wrong');
    expect(stage.stand.accepted).toBe(accepted);
  });

  it.each([
    ['a room that cannot be', { channel: 'no such room\r\nQUIT', options: {} }],
    ['an unknown option', { options: { nonsense: 1 } }],
  ])('refuses %s without a word to the server', async (_title, change) => {
    read = await ReadFeed.open({ ...stage, target: { ...stage.target, ...change } });
    await until('auth_failed', () => read.state === 'auth_failed');
    expect(stage.stand.accepted).toBe(0);
  });

  it('cannot be led to a refused address', async () => {
    read = await ReadFeed.open({ ...stage, stand: { hosts: [] } });
    await until('degraded', () => read.state === 'degraded');
    expect(read.lane.lastFault()).toMatchObject({ reason: 'refused_address' });
    expect(stage.stand.accepted).toBe(0);
  });

  it('leaves nothing behind when it is stopped, at whatever time', async () => {
    read = await ReadFeed.open(stage);
    await read.feed.stop();
    expect(read.state).toBe('idle');
    await read.stop();
    read = await ReadFeed.open(stage);
    await until('live', () => read.state === 'live');
    await read.feed.stop();
    expect(read.statuses.at(-1)).toMatchObject({ state: 'idle' });
  });
});
